package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imds-analyzer/metrics"
)

func TestParseListen(t *testing.T) {
	for text, ok := range map[string]bool{
		"127.0.0.1:9399": true, "127.8.9.1:1": true, "[::1]:9399": true, "127.0.0.1:0": true,
		"": false, "127.0.0.1": false, "9399": false, ":9399": false, "localhost:9399": false, "0.0.0.0:9399": false, "[::]:9399": false,
		"10.0.0.1:9399": false, "[fe80::1%lo]:9399": false, "[::1%lo]:9399": false, "127.0.0.1:99999": false, "unix:/run/x": false,
	} {
		at, err := parseListen(text)
		if (err == nil) != ok {
			t.Errorf("%q: %v, %v", text, at, err)
		}
		if err != nil && !strings.Contains(err.Error(), "127.0.0.1:9399") {
			t.Errorf("%q: it is not said what to give: %v", text, err)
		}
	}
}

func TestIsLocalHost(t *testing.T) {
	for header, want := range map[string]bool{
		"127.0.0.1:9399": true, "127.0.0.1": true, "127.1.2.3:80": true, "[::1]:9399": true, "[::1]": true, "localhost:9399": true, "LocalHost": true,
		"": false, "evil.example:9399": false, "evil.example": false, "127.0.0.1.evil.example": false, "localhost.evil.example:9399": false,
		"169.254.169.254": false, "10.0.0.1:9399": false, "0.0.0.0:9399": false, "[fe80::1]:9399": false, "127.0.0.1:9399:9399": false,
	} {
		if got := isLocalHost(header); got != want {
			t.Errorf("%q: %v", header, got)
		}
	}
}

// startScrapes answers scrapes with the text, and counts in asked how often it was asked
// for.
func startScrapes(t *testing.T, text string) (s *scrapes, asked *int) {
	t.Helper()
	s, err := listenForScrapes(netip.MustParseAddrPort("127.0.0.1:0"))
	if err != nil {
		t.Fatal(err)
	}
	asked = new(int)
	done := make(chan struct{})
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			select {
			case answer := <-s.waiting():
				*asked++
				answer <- []byte(text)
			case <-done:
				return
			}
		}
	}()
	t.Cleanup(func() {
		s.close()
		close(done)
		<-ended
	})
	return s, asked
}

func TestScrapes(t *testing.T) {
	s, asked := startScrapes(t, "imds_analyzer_up 1\n")
	for _, tt := range []struct {
		name, method, path, host string
		status                   int
	}{
		{"the text", "GET", "/metrics", "", 200},
		{"again", "GET", "/metrics?x=1", "localhost", 200},
		{"another page", "GET", "/", "", 404},
		{"profiles", "GET", "/debug/pprof/", "", 404},
		{"another method", "POST", "/metrics", "", 405},
		{"HEAD", "HEAD", "/metrics", "", 405},
		{"a name of somebody's", "GET", "/metrics", "rebound.example:9399", 403},
	} {
		r, err := http.NewRequest(tt.method, "http://"+s.address.String()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Host = tt.host
		response, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || response.StatusCode != tt.status || (string(body) == "imds_analyzer_up 1\n") != (tt.status == 200) {
			t.Errorf("%s: %v, %d, %q", tt.name, err, response.StatusCode, body)
		}
		if got := response.Header.Get("Content-Type"); got != metrics.ContentType || !response.Close {
			t.Errorf("%s: %s, closed %v", tt.name, got, response.Close)
		}
	}
	if *asked != 1 {
		t.Errorf("the capture was asked %d times within %v", *asked, scrapeFresh)
	}
}

// A capture that does not answer gets its scraper a status in time.
func TestScrapeOfBusyCapture(t *testing.T) {
	s := &scrapes{asked: make(chan chan<- []byte), turn: make(chan struct{}, 1)}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r, err := http.NewRequest("GET", "http://localhost"+scrapePath, nil)
	if err != nil {
		t.Fatal(err)
	}
	if status, _ := s.answer(ctx, r); status != 503 {
		t.Errorf("status %d", status)
	}
}

// A capture whose output has stalled is asked for no second text while it owes one, however many
// give up waiting: each takes room of what waits for the output. Then the text is a new one.
func TestScrapesOfStalledOutput(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scrapes{asked: make(chan chan<- []byte, 100), turn: make(chan struct{}, 1)}
		for range 50 {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			if text, err := s.text(ctx); !errors.Is(err, errBusy) {
				t.Errorf("%q, %v", text, err)
			}
			cancel()
		}
		if len(s.asked) != 1 {
			t.Fatalf("it is asked %d times", len(s.asked))
		}
		(<-s.asked) <- []byte("old")
		go func() { (<-s.asked) <- []byte("new") }()
		if text, err := s.text(t.Context()); string(text) != "new" || err != nil {
			t.Errorf("%q, %v", text, err)
		}
	})
}

// Those who hang keep nobody waiting for the time that they have: many that say nothing, that
// say half of what they want, and that do not read the answer.
func TestScrapesThatHang(t *testing.T) {
	s, _ := startScrapes(t, strings.Repeat("x", 64<<10))
	const all = 60
	for i := range all {
		conn, err := net.Dial("tcp", s.address.String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		request := []string{"", "GET /metrics HT", "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n"}[i%3]
		if _, err := io.WriteString(conn, request); err != nil {
			t.Logf("%d was closed meanwhile: %v", i, err)
		}
	}
	client := http.Client{Timeout: scrapeWithin} // 60 by 8 had 40 s
	for range 2 {
		response, err := client.Get("http://" + s.address.String() + scrapePath)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, response.Body); err != nil || response.StatusCode != 200 {
			t.Errorf("status %d, %v", response.StatusCode, err)
		}
		response.Body.Close()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) > maxScrapes {
		t.Errorf("%d connections are open", len(s.open))
	}
}

// Who has asked is not sent away for those who have not.
func TestWhoMakesRoom(t *testing.T) {
	for name, tt := range map[string]struct {
		asked []bool
		want  int
	}{
		"nobody has asked": {[]bool{false, false, false}, 0},
		"the first has":    {[]bool{true, false, false}, 1},
		"all have":         {[]bool{true, true, true}, 0},
	} {
		s := &scrapes{}
		for _, asked := range tt.asked {
			s.open = append(s.open, &scrape{asked: asked})
		}
		if got := slices.Index(s.open, s.longest()); got != tt.want {
			t.Errorf("%s: it is number %d", name, got)
		}
	}
}

// A request that is too long is not read to its end.
func TestScrapeTooLong(t *testing.T) {
	s := &scrapes{room: make(chan struct{}, maxScrapes)}
	in := strings.NewReader("GET /metrics HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 1<<20))
	conn := &scripted{in: in}
	s.serveAndLeave(conn)
	if read := int(in.Size()) - in.Len(); read > scrapeRequest || conn.out.Len() > 0 || !conn.closed {
		t.Errorf("%d bytes were read, answer %q, closed %v", read, conn.out.String(), conn.closed)
	}
}

func (s *scrapes) serveAndLeave(conn net.Conn) {
	c := s.enter(conn)
	defer s.leave(c)
	s.serve(c)
}

// scripted is a connection on which the other side has said everything.
type scripted struct {
	net.Conn
	in     io.Reader
	out    bytes.Buffer
	closed bool
}

func (c *scripted) Read(b []byte) (int, error)    { return c.in.Read(b) }
func (c *scripted) Write(b []byte) (int, error)   { return c.out.Write(b) }
func (c *scripted) SetDeadline(t time.Time) error { return nil }
func (c *scripted) Close() error {
	c.closed = true
	return nil
}

// FuzzScrape: whatever is asked, the counts go to those alone who ask as they should.
func FuzzScrape(f *testing.F) {
	for _, seed := range []string{
		"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /metrics HTTP/1.0\r\n\r\n", "GET http://evil.example/metrics HTTP/1.1\r\nHost: localhost\r\n\r\n",
		"POST /metrics HTTP/1.1\r\nHost: [::1]:1\r\nContent-Length: 9\r\n\r\n", "GET /metrics HTTP/1.1\r\nHost: a\r\nHost: localhost\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "\x16\x03\x01", "GET /\x00 HTTP/1.1\r\n\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, request string) {
		s := &scrapes{room: make(chan struct{}, maxScrapes), turn: make(chan struct{}, 1), latest: []byte("planted"), at: time.Now().Add(time.Hour)}
		conn := &scripted{in: strings.NewReader(request)}
		s.serveAndLeave(conn)
		asks := strings.HasPrefix(request, "GET ") && strings.Contains(request, scrapePath)
		if out := conn.out.String(); strings.Contains(out, "planted") && !asks || out != "" && !strings.HasPrefix(out, "HTTP/1.1 ") || !conn.closed {
			t.Errorf("%q is answered %q", request, out)
		}
	})
}
