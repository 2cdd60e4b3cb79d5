package capture_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// notesOf are the comments that the calls in the packets came with, in the order of
// their requests.
func notesOf(t *testing.T, packets []capture.Packet) []string {
	t.Helper()
	var comments []string
	for _, c := range callsIn(packets) {
		comment := "-"
		if c.Request.Note != nil {
			comment = c.Request.Note.Comment
		}
		comments = append(comments, c.Request.Target+" "+comment)
	}
	return comments
}

func callsIn(packets []capture.Packet) []imds.Call {
	var found collector
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), &found)
	for _, p := range packets {
		analyzer.Packet(&p)
	}
	analyzer.Flush()
	return found.calls
}

// twoCalls are those of one connection: its packets are 0 to 2 the handshake, 3 and
// 7 the requests, 5 and 9 the answers, the even ones acknowledge.
func twoCalls() []capture.Packet {
	c := packettest.New()
	c.Open()
	for _, target := range []string{"/a", "/b"} {
		c.Client("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")
		c.Server("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
	}
	return c.Packets()
}

// What counts is the packet with the request's first byte or, if that says nothing,
// the client's last one before it. What the service's packets say is not of the client.
func TestNotesOfRequests(t *testing.T) {
	for _, tt := range []struct {
		name     string
		comments map[int]string
		want     []string
	}{
		{"none", nil, []string{"/a -", "/b -"}},
		{"on requests", map[int]string{3: "first", 7: "second"}, []string{"/a first", "/b second"}},
		{"on a SYN", map[int]string{0: "syn"}, []string{"/a syn", "/b syn"}},
		{"on the first", map[int]string{0: "syn", 3: "first"}, []string{"/a first", "/b first"}},
		{"on the second", map[int]string{7: "second"}, []string{"/a -", "/b second"}},
		{"between them", map[int]string{0: "syn", 6: "ack"}, []string{"/a syn", "/b ack"}},
		{"on answers", map[int]string{1: "syn", 4: "ack", 5: "answer", 9: "answer"}, []string{"/a -", "/b -"}},
		{"longest", map[int]string{3: strings.Repeat("x", 65535)}, []string{"/a " + strings.Repeat("x", 65535), "/b " + strings.Repeat("x", 65535)}},
		{"too long", map[int]string{0: "syn", 3: strings.Repeat("x", 65536)}, []string{"/a ", "/b "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			packets := twoCalls()
			for i, comment := range tt.comments {
				packets[i].Comment = comment
			}
			if got := notesOf(t, packets); !slices.Equal(got, tt.want) {
				t.Errorf("%.200q", got)
			}
		})
	}
}

// Where another file has a packet, too, and says something of it, that counts, whichever
// comes first. What a packet says itself is not taken back.
func TestNotesOfRepeats(t *testing.T) {
	for _, tt := range []struct {
		name            string
		first, repeated map[int]string
		want            []string
	}{
		{"on requests", nil, map[int]string{3: "first", 7: "second"}, []string{"/a first", "/b second"}},
		{"on the first", nil, map[int]string{3: "first"}, []string{"/a first", "/b first"}},
		{"on the second", nil, map[int]string{7: "second"}, []string{"/a -", "/b second"}},
		{"on a SYN and a request", map[int]string{0: "syn"}, map[int]string{7: "second"}, []string{"/a syn", "/b second"}},
		{"on both", map[int]string{3: "first", 7: "second"}, map[int]string{3: "x", 7: "y"}, []string{"/a first", "/b second"}},
		{"on acknowledgments and answers", nil, map[int]string{5: "answer", 6: "ack", 9: "answer"}, []string{"/a -", "/b ack"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var packets []capture.Packet
			for i, p := range twoCalls() {
				again := p
				p.Comment, again.Comment = tt.first[i], tt.repeated[i]
				packets = append(packets, p, again)
			}
			if got := notesOf(t, packets); !slices.Equal(got, tt.want) {
				t.Errorf("%q", got)
			}
		})
	}
}

// So it is for a head of which only the beginning was read by then.
func TestNotesOfRepeatedPieces(t *testing.T) {
	c := packettest.New()
	c.Quiet = true
	c.Open()
	c.Client("GET /a HTTP/1.1\r\n", "Host: x\r\n\r\nGET /b HTT", "P/1.1\r\nHost: x\r\n\r\n")
	var packets []capture.Packet
	for i, p := range c.Packets() {
		again := p
		again.Comment = []string{"", "", "", "one", "two", "three"}[i]
		packets = append(packets, p, again)
	}
	if got, want := notesOf(t, packets), []string{"/a one", "/b two"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// A request that comes in pieces, or before its time, has the note of its first byte.
func TestNotesOfPieces(t *testing.T) {
	c := packettest.New()
	c.Quiet = true
	c.Open()
	c.Client("GET /a HTTP/1.1\r\n", "Host: x\r\n\r\nGET /b HTT", "P/1.1\r\nHost: x\r\n\r\n")
	packets := c.Packets()
	for i := range packets {
		packets[i].Comment = []string{"syn", "", "ack", "one", "two", "three"}[i]
	}
	want := []string{"/a one", "/b two"}
	if got := notesOf(t, packets); !slices.Equal(got, want) {
		t.Errorf("in order: %q", got)
	}
	packets[3].Data, packets[5].Data = packets[5].Data, packets[3].Data
	packets[3].Comment, packets[5].Comment = packets[5].Comment, packets[3].Comment
	if got := notesOf(t, packets); !slices.Equal(got, want) {
		t.Errorf("out of order: %q", got)
	}
	if got := notesOf(t, packets[3:]); !slices.Equal(got, want) {
		t.Errorf("out of order, without a handshake: %q", got)
	}
}

// The header names the interface and the process, whatever is behind it.
func TestPktapCalls(t *testing.T) {
	sender := imds.Sender{PID: 77, Name: "curl", ForPID: 78, ForName: "shortcuts"}
	for _, link := range []packettest.Link{packettest.Ethernet(), packettest.Raw(capture.LinkRawBSD), packettest.Null(binary.LittleEndian, 30)} {
		tap := packettest.Pktap{Interface: "en0", Sender: sender, Flags: packettest.PktapOutbound, Inner: link}
		for name, outer := range map[string]packettest.Link{"first": tap.First(), "second": tap.Second()} {
			for _, as := range []capture.LinkType{capture.LinkPktap, capture.LinkUser2} {
				for _, c := range []*packettest.Conversation{packettest.New(), packettest.New6()} {
					c.Link = outer
					c.Open()
					c.Client("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
					packets := c.Packets()
					for i := range packets {
						packets[i].LinkType = as
					}
					calls := callsIn(packets)
					if len(calls) != 1 || calls[0].Conn.Interface != "en0" || calls[0].Request.Note == nil {
						t.Fatalf("%s, %d as %d: %+v", name, link.Type, as, calls)
					}
					if note := calls[0].Request.Note; note.Sender != sender || note.Inbound {
						t.Errorf("%s, %d as %d: %+v", name, link.Type, as, note)
					}
				}
			}
		}
	}
}

// One that came in has another process than its sender.
func TestPktapInbound(t *testing.T) {
	for flags, inbound := range map[uint32]bool{0: false, packettest.PktapOutbound: false, packettest.PktapInbound: true} {
		tap := packettest.Pktap{Sender: imds.Sender{PID: 77}, Flags: flags, Inner: packettest.Ethernet()}
		for _, link := range []packettest.Link{tap.First(), tap.Second()} {
			c := packettest.New()
			c.Link = link
			c.Open()
			c.Client("GET /a HTTP/1.1\r\nHost: x\r\n\r\n")
			if calls := callsIn(c.Packets()); len(calls) != 1 || calls[0].Request.Note.Inbound != inbound {
				t.Errorf("flags %d: %+v", flags, calls)
			}
		}
	}
}

// Notes cost nothing of the memory that requests need, and are let go first.
func TestNotesAreBounded(t *testing.T) {
	var found collector
	limits := capture.OfflineLimits()
	limits.BufferedBytes = 1 << 10
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), limits, &found)
	for i, p := range twoCalls() {
		switch i {
		case 0:
			p.Comment = "syn"
		case 3:
			p.Comment = strings.Repeat("x", 1<<10)
		case 6:
			p.Comment = "ack"
		}
		analyzer.Packet(&p)
	}
	analyzer.Flush()
	if len(found.calls) != 2 || found.calls[0].Request.Note != nil || found.calls[1].Request.Note == nil || found.calls[1].Request.Note.Comment != "ack" {
		t.Errorf("%+v", found.calls)
	}
}

// Where requests wait, their notes take room. What does not fit is not known, and
// nothing else is taken for it. There is room again when they have their answers, and
// when the connection is over.
func TestNotesGiveRoomBack(t *testing.T) {
	var found collector
	limits := capture.OfflineLimits()
	limits.BufferedBytes = 600 // two notes
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), limits, &found)
	number := 0
	for _, client := range []string{"10.0.0.7:40001", "10.0.0.7:40002", "10.0.0.7:40003"} {
		c := packettest.From(client)
		c.Quiet = true
		c.Open()
		for _, targets := range [][]string{{"/a", "/b", "/c"}, {"/d", "/e"}} {
			for _, target := range targets {
				c.Client("GET " + target + " HTTP/1.1\r\nHost: x\r\n\r\n")
			}
			for range targets {
				c.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		}
		c.Reset(true)
		c.Wait(time.Second)
		for _, s := range c.Trace() {
			p := s.Packet()
			if s.FromClient && len(s.Payload) > 0 {
				number++
				p.Comment = fmt.Sprint("note ", number)
			}
			p.Time = p.Time.Add(time.Duration(number) * time.Second)
			analyzer.Packet(&p)
		}
	}
	analyzer.Flush()
	var got []string
	for _, call := range found.calls {
		text := "-"
		if n := call.Request.Note; n != nil {
			text = n.Comment
		}
		got = append(got, text)
	}
	want := []string{"note 1", "note 2", "-", "note 4", "note 5", "note 6", "note 7", "-", "note 9", "note 10", "note 11", "note 12", "-", "note 14", "note 15"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
