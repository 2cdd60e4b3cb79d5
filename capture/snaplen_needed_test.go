package capture_test

import (
	"slices"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// withSnaplen is a trace as a capture with that snaplen has it.
func withSnaplen(t packettest.Trace, snaplen int) []capture.Packet {
	packets := t.Packets()
	for i, p := range packets {
		packets[i].Data = p.Data[:min(snaplen, len(p.Data))]
	}
	return packets
}

// snaplenNeeded returns the snaplen that an Analyzer asks for, and how many calls
// have a version.
func snaplenNeeded(t *testing.T, packets []capture.Packet) (snaplen, known int) {
	t.Helper()
	r := newRecorder(t)
	a := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), r)
	feed(a, packets)
	a.Flush()
	for _, call := range r.calls {
		if call.Request.Version() != imds.VersionUnknown {
			known++
		}
	}
	if stats := a.Stats(); (stats.RequestsCut > 0) != (stats.SnaplenNeeded > 0) {
		t.Errorf("%d are cut, and %d is asked for", stats.RequestsCut, stats.SnaplenNeeded)
	}
	return a.Stats().SnaplenNeeded, known
}

// The snaplen that is asked for is that of the longest packet with a request's
// head that was cut before it told its version.
func TestSnaplenNeeded(t *testing.T) {
	const headers = 14 + 20 + 20 + 12 // Ethernet, IPv4, TCP and its timestamps
	long := get("/latest/meta-data/"+strings.Repeat("a", 300), tokenField)
	for _, tt := range []struct {
		name    string
		snaplen int
		talk    func(c *packettest.Conversation)
		want    int
	}{
		{"whole", 4096, func(c *packettest.Conversation) { c.Client(get("/a")) }, 0},
		{"cut", headers + 20, func(c *packettest.Conversation) { c.Client(get("/a")) }, headers + len(get("/a"))},
		{"the longest of two", headers + 20, func(c *packettest.Conversation) {
			c.Client(long)
			c.Server(ok())
			c.Client(get("/a"))
		}, headers + len(long)},
		{"only the answer is cut", headers + len(get("/a")), func(c *packettest.Conversation) {
			c.Client(get("/a"))
			c.Server(answer("200 OK", text(800)))
		}, 0},
		{"only a body is cut", headers + 60, func(c *packettest.Conversation) {
			c.Client("PUT /a HTTP/1.1\r\nContent-Length: 500\r\n\r\n" + text(500))
		}, 0},
		{"cut behind its token", headers + 100, func(c *packettest.Conversation) {
			c.Client("GET /a HTTP/1.1\r\n" + tokenField + "\r\nA: " + strings.Repeat("a", 500) + "\r\n\r\n")
		}, 0},
		{"cut behind its token, and another before it", headers + 100, func(c *packettest.Conversation) {
			c.Client("GET /a HTTP/1.1\r\n"+tokenField+"\r\nA: "+strings.Repeat("a", 500), strings.Repeat("a", 400)+"\r\n\r\n")
			c.Server(ok())
			c.Client("GET /b HTTP/1.1\r\nA: " + strings.Repeat("a", 200) + "\r\n\r\n")
		}, headers + len("GET /b HTTP/1.1\r\nA: ") + 200 + 4},
		{"both packets of a head", headers + 30, func(c *packettest.Conversation) {
			c.Client("GET /a HTTP/1.1\r\nHost: 169.254.169.254\r\n", "A: "+strings.Repeat("a", 200)+"\r\n\r\n")
		}, headers + len("A: ") + 200 + 4},
		{"nothing of its payload", headers, func(c *packettest.Conversation) { c.Client(get("/a")) }, headers + len(get("/a"))},
		{"its TCP header in part", headers - 20, func(c *packettest.Conversation) { c.Client(get("/a")) }, headers + len(get("/a"))},
		{"an odd method's line, behind a call of version 2", headers + 100, func(c *packettest.Conversation) {
			c.Client("GET / HTTP/1.1\r\n" + tokenField + "\r\n\r\n")
			c.Server(ok())
			c.Client("PROPFIND /" + strings.Repeat("a", 200) + " HTTP/1.1\r\n\r\n")
		}, headers + len("PROPFIND /") + 200 + len(" HTTP/1.1\r\n\r\n")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := packettest.New()
			c.Open()
			tt.talk(c)
			c.Server(ok())
			c.Close()
			if got, _ := snaplenNeeded(t, withSnaplen(c.Trace(), tt.snaplen)); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

// Whatever the snaplen was, with the one that is asked for all calls have a
// version, and with less not all have. What stands before a packet's own link layer counts.
func TestSnaplenNeededIsEnough(t *testing.T) {
	tap := packettest.Pktap{Interface: "en0", Inner: packettest.Ethernet()}
	for name, link := range map[string]packettest.Link{"ethernet": packettest.Ethernet(), "pktap": tap.First(), "second pktap": tap.Second()} {
		t.Run(name, func(t *testing.T) {
			c := packettest.New()
			c.Link = link
			c.Open()
			for _, head := range []string{put(), get("/latest/meta-data/", tokenField), get("/a"), get("/latest/"+strings.Repeat("b", 100), "A: "+strings.Repeat("a", 100))} {
				c.Client(head)
				c.Server(answer("200 OK", text(300)))
			}
			c.Close()
			snaplensAreEnough(t, c.Trace(), len(link.Header(0x0800))+21)
		})
	}
}

// snaplensAreEnough tries those from the least on, which has all of the IP header. There are
// four calls in the trace.
func snaplensAreEnough(t *testing.T, trace packettest.Trace, least int) {
	var asked []int
	for snaplen := least; snaplen < least+465; snaplen++ {
		want, known := snaplenNeeded(t, withSnaplen(trace, snaplen))
		if (want == 0) != (known == 4) {
			t.Errorf("%d: %d calls have a version, and %d is asked for", snaplen, known, want)
		}
		if want > 0 {
			asked = append(asked, want)
		}
	}
	for _, want := range slices.Compact(asked) {
		if again, known := snaplenNeeded(t, withSnaplen(trace, want)); again != 0 || known != 4 {
			t.Errorf("with %d only %d calls have a version, and %d is asked for", want, known, again)
		}
		if _, known := snaplenNeeded(t, withSnaplen(trace, want-1)); known == 4 {
			t.Errorf("less than %d would do", want)
		}
	}
	if len(asked) == 0 {
		t.Error("nothing was asked for")
	}
}

// A packet that is cut within Apple's header may hold a request, as one that is cut within
// another.
func TestSnaplenCutsPktap(t *testing.T) {
	tap := packettest.Pktap{Interface: "en0", Inner: packettest.Ethernet()}
	for name, link := range map[string]packettest.Link{"first": tap.First(), "second": tap.Second()} {
		c := packettest.New()
		c.Link = link
		c.Open()
		c.Client(get("/" + strings.Repeat("a", 500)))
		packets := withSnaplen(c.Trace(), 30)
		a := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), newRecorder(t))
		feed(a, packets)
		a.Flush()
		longest := slices.MaxFunc(packets, func(p, q capture.Packet) int { return p.Length - q.Length }).Length
		if s := a.Stats(); s.NotRead != nil || s.RequestsCut != uint64(len(packets)) || s.SnaplenNeeded != longest || s.NotSaved != s.RequestsCut {
			t.Errorf("%s: %+v, want %d that are cut, and %d", name, s, len(packets), longest)
		}
	}
}
