package cli_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// What is cut off, damaged or hostile: the program says what it could read,
// and does no harm.

// damaged are captures of three kinds: pcap, pcapng and gzip'd.
var damaged = []string{"curl-eth", "go-tools", "ec2-tools-lo"}

// timed is a line of the log for a call, and when the call was made and
// answered; never, if it was not.
type timed struct {
	call
	text           string
	asked, replied time.Time
}

// wholeLog is the log of a capture that is whole.
type wholeLog struct {
	calls  []timed
	byText map[string]timed
}

func readWhole(t *testing.T, name string) *wholeLog {
	t.Helper()
	w := &wholeLog{byText: map[string]timed{}}
	w.calls = w.read(t, succeeded(t, "-r", captureOf(t, name), "--format", "json").out)
	for _, c := range w.calls {
		w.byText[c.text] = c
	}
	return w
}

// read returns the calls of a log. Lines that are in the whole's are good.
func (w *wholeLog) read(t *testing.T, log string) []timed {
	t.Helper()
	var calls []timed
	var unread strings.Builder
	for text := range strings.Lines(log) {
		c, known := w.byText[text]
		if !known {
			unread.WriteString(text)
			c = parseTimed(t, text)
		}
		if c.version != "" {
			calls = append(calls, c)
		}
	}
	callsOf(t, unread.String())
	return calls
}

func parseTimed(t *testing.T, text string) timed {
	t.Helper()
	var l struct {
		line
		Timestamp time.Time `json:"@timestamp"`
		Event     struct{ Duration *time.Duration }
	}
	if err := json.Unmarshal([]byte(text), &l); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	c := timed{call: l.call(), text: text, asked: l.Timestamp}
	if l.Event.Duration != nil {
		c.replied = c.asked.Add(*l.Event.Duration)
	}
	return c
}

// intact reads the beginning of a capture, and returns the number and the last
// time of the packets that are whole in it, and how it ends.
func intact(data string) (packets int, last time.Time, err error) {
	source := packettest.Read(strings.NewReader(data), nil)
	for err == nil {
		var p *capture.Packet
		if p, err = source.Next(); err == nil {
			packets, last = packets+1, p.Time
		}
	}
	return packets, last, err
}

// oneLine checks that all that was said is one clear line.
func oneLine(t *testing.T, said string) {
	t.Helper()
	text, found := strings.CutSuffix(said, "\n")
	if !found || strings.Contains(text, "\n") || !strings.HasPrefix(text, "imds-analyzer: ") {
		t.Errorf("not one line: %q", said)
	}
	harmless(t, "standard error", said)
	for _, trace := range []string{"panic", "goroutine", ".go:", "0x"} {
		if strings.Contains(said, trace) {
			t.Errorf("that is not for people: %q", said)
		}
	}
}

// checkDamaged checks what is true of each run on input that may be damaged,
// and returns the calls.
func checkDamaged(t *testing.T, r result, whole *wholeLog) []timed {
	t.Helper()
	said, summary, _ := strings.Cut(r.err, "\n")
	if r.status == 0 {
		summary = r.err
	} else {
		oneLine(t, said+"\n")
	}
	if r.status != 0 && r.status != 1 && r.status != 3 || strings.Contains(summary, "imds-analyzer: ") {
		t.Errorf("exit status %d: %s", r.status, r.err)
	}
	calls := whole.read(t, r.out)
	var counted []call
	for _, c := range calls {
		counted = append(counted, c.call)
	}
	if sums := summarised(t, summary); sums != count(counted) {
		t.Errorf("the summary counts %+v", sums)
	}
	harmless(t, "standard error", r.err)
	return calls
}

// checkReported checks that the calls that were answered by then are there as
// they are in the log of the whole.
func (w *wholeLog) checkReported(t *testing.T, calls []timed, until time.Time) {
	t.Helper()
	found := map[string]bool{}
	for _, c := range calls {
		found[c.text] = true
	}
	for _, c := range w.calls {
		if !c.replied.IsZero() && !c.replied.After(until) && !found[c.text] {
			t.Errorf("not reported: %s", c.text)
		}
	}
}

// checkProven checks that there are the calls that were made by then and no
// others, and that none is more than what is in the log of the whole.
func (w *wholeLog) checkProven(t *testing.T, calls []timed, until time.Time) {
	t.Helper()
	made, versions := map[call]int{}, map[call]string{}
	key := func(c timed) call { return call{source: c.source, method: c.method, target: c.target} }
	for _, c := range w.calls {
		if !c.asked.After(until) {
			made[key(c)]++
		}
		versions[key(c)] += c.version
	}
	for _, c := range calls {
		made[key(c)]--
		proven := c.version != "unknown" && strings.Contains(versions[key(c)], c.version)
		if !proven && (c.version != "unknown" || c.incomplete != "capture_end") {
			t.Errorf("not proven: %s", c.text)
		}
	}
	for c, n := range made {
		if n != 0 {
			t.Errorf("%d reported too few: %v", n, c)
		}
	}
}

// cuts are the places at which a capture is cut: each in its header, and then
// some in each part of a packet.
func cuts(size int) []int {
	var at []int
	for n := 0; n < size; n += 1 + min(n/4, 250) {
		at = append(at, n)
	}
	return append(at, size-1)
}

func TestCutCapture(t *testing.T) {
	for _, name := range damaged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := readFile(t, captureOf(t, name))
			whole := readWhole(t, name)
			for _, n := range cuts(len(data)) {
				packets, last, end := intact(data[:n])
				r := runOn(strings.NewReader(data[:n]), "-r", "-", "--format", "json")
				checkStatus(t, r, packets, end)
				if packets > 0 {
					calls := checkDamaged(t, r, whole)
					whole.checkReported(t, calls, last)
					whole.checkProven(t, calls, last)
				}
				if t.Failed() {
					t.Fatalf("cut at byte %d, with %d packets: exit status %d, %s", n, packets, r.status, r.err)
				}
			}
		})
	}
}

// checkStatus checks that the exit status and the log tell how the input ends.
func checkStatus(t *testing.T, r result, packets int, end error) {
	t.Helper()
	want := 3
	switch {
	case errors.Is(end, io.EOF):
		want = 0
	case packets == 0:
		want = 1
		oneLine(t, r.err)
	}
	if r.status != want {
		t.Errorf("exit status %d, not %d", r.status, want)
	}
	if said := strings.Contains(r.out, `"truncated":true`); said != (want != 0) {
		t.Errorf("exit status %d, and the log tells of it: %v", want, said)
	}
}

// damages is how often each capture is damaged.
const damages = 60

func TestDamagedCapture(t *testing.T) {
	for _, name := range damaged {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			data := readFile(t, captureOf(t, name))
			whole := readWhole(t, name)
			for seed := range int64(damages) {
				broken, first := damage(data, rand.New(rand.NewSource(seed)))
				packets, last, _ := intact(data[:first])
				r := runOn(bytes.NewReader(broken), "-r", "-", "--format", "json")
				if all, _, end := intact(string(broken)); all == 0 && !errors.Is(end, io.EOF) {
					checkStatus(t, r, 0, end)
				} else if calls := checkDamaged(t, r, whole); packets > 0 {
					whole.checkReported(t, calls, last)
				}
				if t.Failed() {
					t.Fatalf("seed %d, first at byte %d: exit status %d, %s", seed, first, r.status, r.err)
				}
			}
		})
	}
}

// damage changes some bytes, and returns the place of the first.
func damage(data string, random *rand.Rand) (broken []byte, first int) {
	broken, first = []byte(data), len(data)
	for range 1 + random.Intn(20) {
		at := random.Intn(len(broken))
		broken[at] ^= byte(1 + random.Intn(255))
		first = min(first, at)
	}
	return broken, first
}

// save writes packets to a capture file of its own.
func save(t *testing.T, packets []capture.Packet) string {
	t.Helper()
	var data bytes.Buffer
	writer, err := capture.NewPcapngWriter(&data, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := writer.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	name := filepath.Join(t.TempDir(), "packets")
	if err := os.WriteFile(name, data.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// harmless checks that text does nothing to a terminal: each character but the
// line's end shows itself.
func harmless(t *testing.T, where, text string) {
	t.Helper()
	for _, r := range text {
		if r != '\n' && !unicode.IsPrint(r) {
			t.Fatalf("%q is in %s: %q", r, where, text)
		}
	}
	if strings.ToValidUTF8(text, "") != text {
		t.Fatalf("%s is not UTF-8: %q", where, text)
	}
}

// hostile are texts that do something to terminals or to readers.
var hostile = []string{
	"\x1b[31mred", "\x1b]0;title\x07", "\x1bc", "\u009b31mC1", "\x9b31mC1", "\x90raw\x9c", "\xff\xfe\xc3", "\xed\xa0\x80",
	"\u202ecba", "\u2066\u2069", "\u200f", "\u2028", "\u2029", "\u00ad", "\u200b", "\ufeff", "\U000e0041",
	"a\x00b", "\x7f\b\b", "a\tb", "\v\f", "a\rb", "\"\\\u0085", "%1b%5b31m%0a%0d", "\\u001b[31m", "\ufffd",
}

// hostilePlaces are where such texts can be in a call.
var hostilePlaces = map[string]func(c *packettest.Conversation, text string){
	"target":     func(c *packettest.Conversation, s string) { exchange(c, "GET /"+s+"/x?y="+s+" HTTP/1.1", "") },
	"path alone": func(c *packettest.Conversation, s string) { exchange(c, "GET "+s+" HTTP/1.1", "") },
	"User-Agent": func(c *packettest.Conversation, s string) { exchange(c, "GET / HTTP/1.1", "User-Agent: "+s+"\r\n") },
	"folded": func(c *packettest.Conversation, s string) {
		exchange(c, "GET / HTTP/1.1", "User-Agent: a\r\n "+s+"\r\n")
	},
	"Host":       func(c *packettest.Conversation, s string) { exchange(c, "GET / HTTP/1.1", "Host: "+s+"\r\n") },
	"method":     func(c *packettest.Conversation, s string) { exchange(c, "GE"+s+"T / HTTP/1.1", "") },
	"version":    func(c *packettest.Conversation, s string) { exchange(c, "GET / HTTP/1."+s, "") },
	"field name": func(c *packettest.Conversation, s string) { exchange(c, "GET / HTTP/1.1", s+": "+s+"\r\n") },
	"token": func(c *packettest.Conversation, s string) {
		exchange(c, "GET / HTTP/1.1", "X-aws-ec2-metadata-token: "+s+"\r\n")
	},
	"TTL": func(c *packettest.Conversation, s string) {
		exchange(c, "PUT /latest/api/token HTTP/1.1", "X-aws-ec2-metadata-token-ttl-seconds: "+s+"\r\n")
	},
	"cut off": func(c *packettest.Conversation, s string) { c.Client("GET /" + s + " HTTP/1.1\r\nUser-Agent: " + s) },
	"reason": func(c *packettest.Conversation, s string) {
		c.Client("GET / HTTP/1.1\r\n\r\n")
		c.Server("HTTP/1.1 404 " + s + "\r\nServer: " + s + "\r\n\r\n" + s)
	},
}

// exchange is a call and its answer.
func exchange(c *packettest.Conversation, line, fields string) {
	c.Client(line + "\r\n" + fields + "\r\n")
	c.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
}

func TestControlCharactersReachNoTerminal(t *testing.T) {
	for place, plant := range hostilePlaces {
		t.Run(place, func(t *testing.T) {
			t.Parallel()
			var packets []capture.Packet
			for i, text := range hostile {
				c := packettest.From(fmt.Sprintf("10.0.0.7:%d", 40001+i))
				c.Open()
				plant(c, text)
				c.Close()
				packets = append(packets, c.Packets()...)
			}
			for i := range packets { // where captures themselves carry text
				packets[i].Interface = "eth\x1b[31m0\u202e\x9b\n"
				packets[i].Comment = "\x1b]0;title\x07"
			}
			file := save(t, packets)
			named := file + "\x1b[31m\u009b\u202e\n"
			if err := os.Rename(file, named); err != nil {
				t.Fatal(err)
			}
			calls := checkHarmless(t, named)
			// With other methods and versions than HTTP/1's it is no HTTP/1.
			if wanted := place != "method" && place != "version"; wanted && len(calls) != len(hostile) {
				t.Errorf("%d texts, but %d calls", len(hostile), len(calls))
			}
		})
	}
}

// checkHarmless runs the program on a file, checks every output, and returns
// the calls.
func checkHarmless(t *testing.T, file string) []call {
	t.Helper()
	log := filepath.Join(t.TempDir(), "log")
	text := succeeded(t, "-r", file, "--format", "text", "-o", log)
	log = readFile(t, log)
	calls := callsOf(t, log)
	harmless(t, "the text", text.out)
	harmless(t, "the summary", text.err)
	harmless(t, "the log", log)
	if n := strings.Count(undated(text.out), "\n"); n != len(calls) {
		t.Errorf("%d lines of text for %d calls: %s", n, len(calls), text.out)
	}
	if n := strings.Count(log, "\n"); n != len(calls)+2 {
		t.Errorf("%d lines of the log for %d calls", n, len(calls))
	}
	return calls
}
