package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"imds-analyzer/metrics"
)

// Limits of the scrapes: every local user can connect. A connection has one request of
// 8 KiB at most, and 5 s in all; 8 at once, with a text of 64 KiB each, take 1 MiB. The
// ninth ends one that hangs.
const (
	maxScrapes    = 8
	scrapeRequest = 8 << 10
	scrapeWithin  = 5 * time.Second
	// scrapeAnswer is what of it is left to say that the capture is busy.
	scrapeAnswer = time.Second
	// scrapeFresh is how long a text is given again: asking costs the capture next to
	// nothing, however often it is done.
	scrapeFresh = time.Second
)

const scrapePath = "/metrics"

// scrapes answer GET /metrics on an address of the machine itself. Requests are read as
// net/http reads them; its server, with TLS and HTTP/2, would make the program 2.4 MiB
// larger, for one page.
type scrapes struct {
	address  netip.AddrPort
	listener net.Listener
	room     chan struct{} // for those that are served
	// asked are those who wait for a text, each with room for it.
	asked chan chan<- []byte

	mu   sync.Mutex
	open []*scrape // those that are served, in the order in which they came

	turn   chan struct{} // held while one asks for all; it guards what follows
	latest []byte
	at     time.Time
	owed   <-chan []byte // a text that nobody has waited for; nil if there is none
}

// parseListen reads an address to listen at: one that only the machine itself reaches.
func parseListen(text string) (netip.AddrPort, error) {
	at, err := netip.ParseAddrPort(text)
	if err != nil || !at.Addr().IsLoopback() || at.Addr().Zone() != "" {
		return at, fmt.Errorf("--metrics-listen takes an address of the machine itself with a port, as 127.0.0.1:9399 or [::1]:9399, not %q: to be read from elsewhere, have node_exporter read --metrics-textfile", text)
	}
	return at, nil
}

// listenForScrapes listens at the address.
func listenForScrapes(at netip.AddrPort) (*scrapes, error) {
	listener, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(at))
	if err != nil {
		return nil, fmt.Errorf("metrics are not to be had over HTTP: %w", err)
	}
	s := &scrapes{
		address:  listener.Addr().(*net.TCPAddr).AddrPort(),
		listener: listener,
		room:     make(chan struct{}, maxScrapes),
		asked:    make(chan chan<- []byte),
		turn:     make(chan struct{}, 1),
	}
	go s.accept()
	return s, nil
}

// accept takes connections until the listener is closed. What fails otherwise, as for
// lack of file descriptors, is tried again.
func (s *scrapes) accept() {
	for {
		conn, err := s.listener.Accept()
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			time.Sleep(scrapeFresh)
			continue
		}
		c := s.enter(conn)
		go func() {
			defer s.leave(c)
			s.serve(c)
		}()
	}
}

// waiting receives those who wait for a text; nothing from nil.
func (s *scrapes) waiting() <-chan chan<- []byte {
	if s == nil {
		return nil
	}
	return s.asked
}

func (s *scrapes) close() {
	if s != nil {
		_ = s.listener.Close()
	}
}

// serve answers one request. That the other side does not speak HTTP, or has gone, is its
// own affair.
func (s *scrapes) serve(c *scrape) {
	if c.limit() != nil {
		return
	}
	request, err := http.ReadRequest(bufio.NewReader(io.LimitReader(c, scrapeRequest)))
	if err != nil {
		return
	}
	s.hasAsked(c)
	status, text := s.answer(c.ctx, request)
	response := &http.Response{
		StatusCode: status, ProtoMajor: 1, ProtoMinor: 1, Close: true,
		Header:        http.Header{"Content-Type": {metrics.ContentType}, "X-Content-Type-Options": {"nosniff"}},
		Body:          io.NopCloser(strings.NewReader(text)),
		ContentLength: int64(len(text)),
		Request:       request,
	}
	_ = response.Write(c)
}

// answer returns the status and the text. A name in the Host header, but localhost, is
// that of a web page which has a browser ask here (DNS rebinding).
func (s *scrapes) answer(ctx context.Context, r *http.Request) (status int, text string) {
	switch {
	case !isLocalHost(r.Host):
		return http.StatusForbidden, "this is for the machine itself: ask by its address\n"
	case r.URL.Path != scrapePath:
		return http.StatusNotFound, "metrics are at " + scrapePath + "\n"
	case r.Method != http.MethodGet:
		return http.StatusMethodNotAllowed, "there is only GET\n"
	}
	found, err := s.text(ctx)
	if err != nil {
		return http.StatusServiceUnavailable, err.Error() + "\n"
	}
	return http.StatusOK, string(found)
}

// errBusy: the capture did not answer in time.
var errBusy = errors.New("the capture is busy, or ends")

// text returns the counts, of up to scrapeFresh ago.
func (s *scrapes) text(ctx context.Context) ([]byte, error) {
	select {
	case s.turn <- struct{}{}:
		defer func() { <-s.turn }()
	case <-ctx.Done():
		return nil, errBusy
	}
	if s.latest != nil && time.Since(s.at) < scrapeFresh {
		return s.latest, nil
	}
	if s.owed != nil { // which is old by now: one at a time, as each takes room where calls wait
		select {
		case <-s.owed:
			s.owed = nil
		case <-ctx.Done():
			return nil, errBusy
		}
	}
	return s.ask(ctx)
}

// ask has the capture give the counts. The caller has the turn.
func (s *scrapes) ask(ctx context.Context) ([]byte, error) {
	answer := make(chan []byte, 1)
	select {
	case s.asked <- answer:
	case <-ctx.Done():
		return nil, errBusy
	}
	select {
	case s.latest = <-answer:
		s.at = time.Now()
		return s.latest, nil
	case <-ctx.Done():
		s.owed = answer
		return nil, errBusy
	}
}

// isLocalHost reports whether a Host header (RFC 9110, section 7.2) names the machine
// itself: by an address, or by the name that is reserved for it (RFC 6761, section 6.3).
func isLocalHost(header string) bool {
	host := header
	if name, _, err := net.SplitHostPort(header); err == nil {
		host = name
	}
	if strings.EqualFold(host, "localhost") {
		return true
	}
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"))
	return err == nil && addr.IsLoopback()
}
