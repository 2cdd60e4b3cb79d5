package capture_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// history is what a client does from one port for a while: connection after connection, whose
// packets are cut, repeated, reordered and seen in several places.
type history struct {
	random *rand.Rand
	now    time.Time
	isn    uint32 // of the next connection; they rise, as clients have it
	open   bool   // it may not be seen that the last connection has ended
	// anyhow lets packets come before the SYN of their connection even then.
	anyhow bool
	want   []string
	trace  packettest.Trace
}

func newHistory(seed uint64, anyhow bool) *history {
	random := rand.New(rand.NewPCG(seed, 2))
	h := &history{random: random, now: packettest.Start.Add(time.Second), isn: random.Uint32(), anyhow: anyhow}
	for range 1 + random.IntN(5) {
		h.connect()
	}
	return h
}

func (h *history) once(of int) bool { return h.random.IntN(of) == 0 }

func (h *history) connect() {
	d := dialogueOf(h.random)
	d.Now, d.ClientISN = h.now, h.isn
	inOrder := h.begin(d)
	if h.open && !h.anyhow {
		inOrder += handshake
	}
	d.call()
	h.end(d)
	whole := d.Trace()
	h.want = append(h.want, d.want...)
	h.trace = append(append(h.trace, whole[:inOrder]...), h.captured(whole[inOrder:])...)
	pause := []time.Duration{10 * time.Millisecond, 300 * time.Millisecond, 5 * time.Second, 2 * time.Minute}[h.random.IntN(4)]
	h.now = d.Now.Add(pause)
	h.isn += uint32(len(whole)*d.SegmentSize) + uint32(pause/64) // the clock of RFC 9293, section 3.4.1
}

// begin opens the connection, behind SYNs without an answer now and then. It returns how many.
func (h *history) begin(d *dialogue) (inVain int) {
	for h.once(4) {
		d.Stray(fromClient, func(s *packettest.Segment) { s.Seq, s.Ack, s.Flags = d.ClientISN, 0, packettest.SYN })
		d.Wait(time.Second)
		inVain++
	}
	d.Open()
	return inVain
}

// end probes whether the service is there now and then, and ends the connection in some way, or
// in none that is captured. A reset that comes before the bytes that it follows is not believed.
func (h *history) end(d *dialogue) {
	for h.once(3) {
		probe := []string{"", "\x00"}[h.random.IntN(2)]
		d.Stray(fromClient, ahead(-1, probe))
		d.Stray(fromServer, func(*packettest.Segment) {})
	}
	way := h.random.IntN(6)
	h.open = way >= 2
	switch way {
	case 0:
		d.Close()
	case 1:
		d.CloseByServer()
	case 2:
		d.Reset(fromClient)
	case 3:
		d.Reset(fromServer)
	case 4:
		d.Finish(fromClient)
		d.Reset(fromServer)
	}
}

// captured is what comes of segments: within milliseconds in another order, and without all of
// those that only acknowledge.
func (h *history) captured(t packettest.Trace) packettest.Trace {
	mangled := mangle(t, h.random, h.random.IntN(6)).Edit(func(_ int, s *packettest.Segment) {
		s.Time = t[0].Time.Add(s.Time.Sub(packettest.Start))
	})
	lossy := h.once(3)
	return slices.DeleteFunc(mangled, func(s packettest.Segment) bool {
		return lossy && s.Flags == packettest.ACK && len(s.Payload) == 0 && h.once(2)
	})
}

// seen is the history as it is captured, in one place or in several.
func (h *history) seen() packettest.Trace {
	way := h.random.IntN(2 * len(ways))
	if way >= len(ways) {
		return h.trace
	}
	return packettest.Merge(h.trace.Through(ways[way].hops(translated)...))
}

// Whatever a client's connections go through: its calls are found, each with its version and
// status.
func TestCorpusAnyHistory(t *testing.T) {
	for seed := range capture.Sample(seeds / 3) {
		h := newHistory(seed, false)
		checkLines(t, found(t, nil, h.seen().Packets()).lines(), h.want)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Where both sides were captured by clocks of their own, and connections follow others that are
// not seen to end, calls may be lost to those: then that is counted, or a head is known in part.
// A status may be missing.
func TestCorpusAnyHistoryByTwoClocks(t *testing.T) {
	for seed := range capture.Sample(seeds / 3) {
		h := newHistory(seed, true)
		seen := h.seen()
		late := h.once(2)
		by := time.Duration(h.random.IntN(50)) * time.Millisecond
		seen = packettest.Merge(seen.Edit(func(_ int, s *packettest.Segment) {
			if s.FromClient == late {
				s.Time = s.Time.Add(by)
			}
		}))
		got, stats := counted(t, nil, seen.Packets())
		inPart := slices.ContainsFunc(got.calls, func(c imds.Call) bool { return c.Request.Incomplete != imds.Whole })
		if !sameButStatus(got.lines(), h.want) && stats.RequestGaps+stats.ResponsesUnmatched == 0 && !inPart {
			checkLines(t, got.lines(), h.want)
		}
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}
