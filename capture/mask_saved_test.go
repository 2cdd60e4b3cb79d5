package capture_test

import (
	"bytes"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// order is a Handler that notes what comes when.
type order struct {
	collector
	log []string
}

func (o *order) Closed(imds.Conn) { o.log = append(o.log, "closed") }

// savedOf are the packets as they are saved.
func savedOf(packets []capture.Packet) []capture.Saved {
	saved, _ := savedWith(packets)
	return saved
}

func savedWith(packets []capture.Packet) (saved []capture.Saved, log []string) {
	var found order
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), &found)
	analyzer.SaveTo(func(p capture.Saved) {
		p.Data = bytes.Clone(p.Data)
		saved = append(saved, p)
		found.log = append(found.log, "saved")
	})
	for _, p := range packets {
		analyzer.Packet(&p)
	}
	analyzer.Flush()
	return saved, found.log
}

func packetsIn(saved []capture.Saved) (packets []capture.Packet) {
	for _, s := range saved {
		packets = append(packets, s.Packet)
	}
	return packets
}

// beginsIn are the places of the packets in which a request begins, and their notes.
func beginsIn(saved []capture.Saved) (places []int, notes []string) {
	for i, s := range saved {
		if s.Begins {
			places = append(places, i)
		}
		if s.Note != nil {
			notes = append(notes, s.Note.Comment)
		}
	}
	return places, notes
}

func TestSavedTellsWhereRequestsBegin(t *testing.T) {
	const get = "GET /a HTTP/1.1\r\nHost: x\r\n\r\n"
	answer := "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
	for _, tt := range []struct {
		name string
		talk func(c *packettest.Conversation)
		want []int
	}{
		{"nothing said", func(c *packettest.Conversation) { c.Open() }, nil},
		{"one", func(c *packettest.Conversation) { c.Open(); c.Client(get) }, []int{3}},
		{"two", func(c *packettest.Conversation) { c.Open(); c.Client(get); c.Server(answer); c.Client(get) }, []int{3, 7}},
		{"two in one packet", func(c *packettest.Conversation) { c.Open(); c.Client(get + get) }, []int{3}},
		{"the service with the same numbers", func(c *packettest.Conversation) {
			c.ServerISN = c.ClientISN
			c.Open()
			c.Client(get)
			c.Server(answer)
		}, []int{3}},
		{"in pieces", func(c *packettest.Conversation) { c.Open(); c.Client(get[:1], get[1:9], get[9:]+get[:4], get[4:]) }, []int{3, 5}},
		{"blank lines before it", func(c *packettest.Conversation) { c.Open(); c.Client("\r\n", "\r\n"+get) }, []int{4}},
		{"with a body", func(c *packettest.Conversation) {
			c.Open()
			c.Client("PUT /b HTTP/1.1\r\nContent-Length: 31\r\n\r\n", "GET /in/the/body HTTP/1.1\r\n\r\nxx", get)
		}, []int{3, 5}},
		{"never whole", func(c *packettest.Conversation) {
			c.Open()
			c.Client(get[:9])
			c.Wait(2 * time.Second)
			c.Client(get[9:12])
		}, []int{3}},
		{"sent again", func(c *packettest.Conversation) { c.Open(); c.Client(get); c.Again(true, 0) }, []int{3}},
		{"no handshake", func(c *packettest.Conversation) { c.Opened(); c.Client(get); c.Server(answer) }, []int{0}},
		{"only its end", func(c *packettest.Conversation) { c.Opened(); c.Client("t: x\r\nHost: x\r\n\r\n"); c.Server(answer) }, []int{0}},
		{"not HTTP", func(c *packettest.Conversation) { c.Open(); c.Client("\x16\x03\x01\x02") }, nil},
		{"many", func(c *packettest.Conversation) { c.Open(); c.Client(strings.Repeat(get, 200), get) }, []int{3, 4, 5, 6, 7}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := packettest.New()
			tt.talk(c)
			packets := c.Packets()
			saved := savedOf(packets)
			if len(saved) != len(packets) {
				t.Fatalf("%d packets of %d", len(saved), len(packets))
			}
			if got, _ := beginsIn(saved); !slices.Equal(got, tt.want) {
				t.Errorf("requests begin in %v, not in %v", got, tt.want)
			}
			for i, s := range saved {
				if s.Conn == 0 {
					t.Errorf("packet %d is of no connection", i)
				}
			}
		})
	}
}

// Comments are not saved as they are, as nobody knows what is in them.
func TestSavedNotes(t *testing.T) {
	packets := twoCalls()
	packets[0].Comment, packets[7].Comment, packets[9].Comment = "syn", "second", "answer"
	saved := savedOf(packets)
	if _, notes := beginsIn(saved); !slices.Equal(notes, []string{"syn", "second"}) {
		t.Errorf("notes %q", notes)
	}
	for i, s := range saved {
		if s.Comment != "" {
			t.Errorf("packet %d has the comment %q", i, s.Comment)
		}
	}
}

// Where a packet comes again that says what the first one did not, the request begins there,
// too, for that to be saved.
func TestSavedNotesOfRepeats(t *testing.T) {
	var packets []capture.Packet
	for i, p := range twoCalls() {
		again := p
		again.Comment = map[int]string{3: "first", 7: "second"}[i]
		packets = append(packets, p, again)
	}
	saved := savedOf(packets)
	var got []string
	for i, s := range saved {
		if s.Begins && s.Note != nil {
			got = append(got, fmt.Sprint(i, " ", s.Note.Comment))
		}
	}
	if want := []string{"7 first", "14 first", "15 second"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A connection is closed behind its last packet, also if that waits for its bytes to
// be read, or is sent again.
func TestSavedBeforeClosed(t *testing.T) {
	c := packettest.New()
	c.Open()
	c.Client("GET /a HTTP/1.1\r\nHost: ")
	c.Reset(false)
	other := packettest.From("10.0.0.8:50000")
	other.Now = c.Now.Add(300 * time.Millisecond) // when the first one is over
	other.Open()
	packets := append(c.Packets(), other.Packets()...)
	saved, log := savedWith(packets)
	if len(saved) != len(packets) {
		t.Fatalf("%d packets of %d", len(saved), len(packets))
	}
	closed := slices.Index(log, "closed")
	last := slices.IndexFunc(saved, func(s capture.Saved) bool { return s.Conn == saved[len(saved)-1].Conn })
	if closed < last || strings.Count(strings.Join(log, " "), "closed") != 2 {
		t.Errorf("the first one's packets are %d: %v", last, log)
	}
}

// What is saved says as much of a call as what was captured, however much there is of a head, and
// however much else goes on while a packet waits.
func TestSavedPacketsHoldTheSameCalls(t *testing.T) {
	head := func(fields ...string) string {
		return "GET /a HTTP/1.1\r\nHost: x\r\n" + strings.Join(fields, "") + "\r\n"
	}
	calls := func(n int) func(c *packettest.Conversation) {
		return func(c *packettest.Conversation) {
			c.Open()
			for range n {
				c.Client(get("/latest/meta-data/"))
				c.Server(ok())
			}
		}
	}
	one := func(head string) func(c *packettest.Conversation) {
		return func(c *packettest.Conversation) {
			c.Open()
			c.Client(head)
			c.Server(ok())
		}
	}
	for _, tt := range []struct {
		name string
		talk func(c *packettest.Conversation)
		want int
	}{
		{"few", calls(2), 2},
		{"many fields", one(head(strings.Repeat("X-Field: of no interest\r\n", 100))), 1},
		{"many blanks", one(head("X-Words:" + strings.Repeat(" x", 1000) + "\r\n")), 1},
		{"long values", one(head(strings.Repeat("X-Field: "+strings.Repeat("v", 100)+"\r\n", 1000))), 1},
		{"many calls", calls(300), 300},
		{"many calls at once", one(strings.Repeat(head(), 300)), 300},
		{"many chunks", func(c *packettest.Conversation) {
			c.Open()
			c.Client(head())
			c.Server("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\nx\r\n", 200) + "0\r\n\r\n")
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			other := packettest.From("10.0.0.8:50000")
			other.Open()
			other.Client(head()[:5]) // its packet waits for the rest of the head
			c := packettest.New()
			c.Now, c.Step = other.Now, 100*time.Microsecond
			tt.talk(c)
			other.Now = c.Now
			other.Client(head()[5:])
			other.Server(ok())
			packets := slices.Concat(other.Packets(), c.Packets())
			slices.SortStableFunc(packets, func(a, b capture.Packet) int { return a.Time.Compare(b.Time) })
			before, after := callsIn(packets), callsIn(packetsIn(savedOf(packets)))
			if len(before) != tt.want+1 {
				t.Fatalf("%d calls", len(before))
			}
			compare(t, observe(after), observe(before))
		})
	}
}

// What is known of connections for saving their packets follows from the packets that wait, and
// not from all that their clients have said, whatever of it may be shown: all, or a little here and there.
func TestSavedPacketsAreForgotten(t *testing.T) {
	tests := []struct{ name, fields string }{
		{"all of a long field", "Accept: " + strings.Repeat("v ", 50<<10) + "\r\n"},
		{"the names of many fields", strings.Repeat("A: "+strings.Repeat("v", 60)+"\r\n", 1<<10)},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			const connections = 20
			if taken := takenByIdle(connections, "GET / HTTP/1.1\r\n"+test.fields+"\r\n"); taken > connections*32<<10 {
				t.Errorf("%d connections that are idle take %d KiB", connections, taken>>10)
			}
		})
	}
}

// takenByIdle is the memory that connections take whose clients have sent a head again and again.
func takenByIdle(connections int, head string) (taken int64) {
	const heads = 20
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), &collector{})
	analyzer.SaveTo(func(capture.Saved) {})
	heap := func() int64 {
		runtime.GC()
		var memory runtime.MemStats
		runtime.ReadMemStats(&memory)
		return int64(memory.HeapAlloc)
	}
	now, before := packettest.Start, int64(0)
	for i := range connections + 1 {
		c := packettest.From(fmt.Sprintf("10.0.0.8:%d", 50000+i))
		c.Now, c.SegmentSize = now, 32<<10
		c.Open()
		for range heads {
			c.Client(head)
			c.Server(ok())
		}
		for _, p := range c.Packets() {
			analyzer.Packet(&p)
		}
		now = c.Now
		if i == 0 {
			before = heap() // with what is made once
		}
	}
	taken = heap() - before
	runtime.KeepAlive(analyzer)
	return taken
}

// Saved packets keep the header, and are masked behind it as others.
func TestPktapSaved(t *testing.T) {
	tap := packettest.Pktap{Interface: "en0", Sender: imds.Sender{PID: 77, Name: "curl"}, Inner: packettest.Ethernet()}
	c := packettest.New()
	c.Link = tap.First()
	c.Open()
	c.Client("GET /a HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: secret\r\n\r\n")
	packets := c.Packets()
	saved := savedOf(packets)
	if len(saved) != len(packets) {
		t.Fatalf("%d packets of %d", len(saved), len(packets))
	}
	request := string(saved[3].Data)
	if len(request) != len(packets[3].Data) || !strings.HasSuffix(request, "Host: x\r\nX-aws-ec2-metadata-token: xxxxxx\r\n\r\n") {
		t.Errorf("%q", request)
	}
	before, after := callsIn(packets), callsIn(packetsIn(saved))
	if len(after) != 1 || *after[0].Request.Note != *before[0].Request.Note || after[0].Request.Note.Sender.PID != 77 {
		t.Errorf("%+v, read again %+v", before, after)
	}
}

// Behind a target there may be more of it, where the end of the line was not seen.
func TestSavedBehindTargets(t *testing.T) {
	for sent, want := range map[string]string{
		"GET /a b?token=hunter2":               "GET /a xxxxxxxxxxxxxxx",
		"GET /a b?token=hunter2 HTTP/1.1\r\n":  "GET /a b?xxxxxxxxxxxxx HTTP/1.1\r\n",
		"GET /a HTTP/1.1 token=hunter2":        "GET /a xxxxxxxx xxxxxxxxxxxxx",
		"GET /a HTTP/1.1\r\nX-Token: hunter2 ": "GET /a HTTP/1.1\r\nX-Token: xxxxxxx ",
	} {
		c := packettest.New()
		c.Open()
		c.Client(sent)
		c.LoseClient("lost")
		c.Client("more")
		if got := string(savedOf(c.Packets())[3].Data); !strings.HasSuffix(got, want) {
			t.Errorf("%q is saved as %q", sent, got)
		}
	}
}
