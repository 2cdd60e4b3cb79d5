package capture_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// Whatever comes, in whatever order: what is taken of limits is given back, no flow and no room is
// in use twice, and when all is over nothing is left.
func TestAccountsAddUp(t *testing.T) {
	for seed := range capture.Sample(uint64(45)) {
		k := newKeeping(seed)
		for round := range 40 {
			for i, p := range k.packets() {
				k.analyzer.Packet(&p)
				k.check(t, "round %d, packet %d", round, i)
			}
			k.pass()
			k.check(t, "after round %d", round)
		}
		k.analyzer.Flush()
		k.check(t, "at the end")
		if left := k.analyzer.Taken(); left != 0 || len(k.open) > 0 {
			t.Errorf("seed %d: %d are taken, and %d connections were not closed", seed, left, len(k.open))
		}
	}
}

// keeping is an Analyzer with little room, and what it is told at random.
type keeping struct {
	analyzer *capture.Analyzer
	random   *rand.Rand
	seed     uint64
	now      time.Time
	open     map[uint64]bool // connections that were opened and not closed
}

func newKeeping(seed uint64) *keeping {
	random := rand.New(rand.NewPCG(seed, 3))
	k := &keeping{random: random, seed: seed, now: packettest.Start, open: map[uint64]bool{}}
	k.analyzer = capture.NewAnalyzer(imds.DefaultEndpoints(), capture.Limits{
		Connections: 4 + random.IntN(30), HalfOpen: 1 + random.IntN(5), ClosedConnections: random.IntN(20), BufferedBytes: random.IntN(30_000),
	}, k)
	if random.IntN(3) == 0 {
		k.analyzer.SaveTo(func(capture.Saved) {})
	}
	return k
}

func (k *keeping) Opened(c imds.Conn)   { k.open[c.ID] = true }
func (k *keeping) Closed(c imds.Conn)   { delete(k.open, c.ID) }
func (k *keeping) Unanswered(imds.Call) {}
func (k *keeping) Call(imds.Call)       {}

func (k *keeping) check(t *testing.T, when string, args ...any) {
	t.Helper()
	if wrong := k.analyzer.Unsound(); wrong != "" {
		t.Fatalf("seed %d, %s: %s", k.seed, fmt.Sprintf(when, args...), wrong)
	}
}

// oneIn is true once in so many times.
func (k *keeping) oneIn(n int) bool { return k.random.IntN(n) == 0 }

// pass lets time pass, and sets the clock back now and then.
func (k *keeping) pass() {
	switch k.random.IntN(6) {
	case 0:
		k.now = k.now.Add(time.Duration(k.random.IntN(700)) * time.Second)
		k.analyzer.Tick(k.now)
	case 1:
		k.now = k.now.Add(-time.Duration(k.random.IntN(100)) * time.Second)
		k.analyzer.SetBack(k.now)
	default:
		k.now = k.now.Add(time.Duration(k.random.IntN(3000)) * time.Millisecond)
	}
}

// packets are those of some conversations at once, some seen on several legs, cut, in fragments, or
// with a comment.
func (k *keeping) packets() (packets []capture.Packet) {
	var traces []packettest.Trace
	for range 1 + k.random.IntN(6) {
		trace := k.trace()
		if way := k.random.IntN(3 * len(ways)); way < len(ways) {
			trace = trace.Through(ways[way].hops(translated)...)
		}
		traces = append(traces, trace)
	}
	for _, s := range packettest.Merge(traces...) {
		for _, p := range k.captured(s) {
			if k.oneIn(6) {
				p.Comment = text(k.random.IntN(300))
			}
			packets = append(packets, p)
		}
	}
	return packets
}

func (k *keeping) captured(s packettest.Segment) []capture.Packet {
	whole := s.IP()
	switch {
	case k.oneIn(30):
		return []capture.Packet{s.Cut(k.random.IntN(40))}
	case k.oneIn(30) && len(whole) > 60:
		first, rest := s.Wrap(packettest.Fragment4(whole, 0, 16)), s.Wrap(packettest.Fragment4(whole, 16, len(whole)-20))
		return []capture.Packet{first, rest}[:1+k.random.IntN(2)]
	}
	return []capture.Packet{s.Packet()}
}

// trace is a conversation from one of few ports, in any order and not whole.
func (k *keeping) trace() packettest.Trace {
	d := dialogueOf(k.random)
	d.ClientAddr = netip.AddrPortFrom(packettest.Client.Addr(), uint16(40_000+k.random.IntN(12)))
	d.Now = k.now
	k.talk(d)
	if k.oneIn(5) {
		d.Reset(k.oneIn(2))
	}
	if k.oneIn(4) {
		k.rival(d)
	}
	trace := d.Trace()
	if k.oneIn(4) {
		trace = trace.Edit(k.speakOnSYN)
	}
	if k.oneIn(2) {
		times := trace
		trace = mangle(trace, k.random, k.random.IntN(6))
		for i := range trace {
			trace[i].Time = times[min(i, len(times)-1)].Time
		}
	}
	if k.oneIn(2) {
		return trace
	}
	return trace.Drop(k.random.IntN(len(trace)), k.random.IntN(len(trace)), k.random.IntN(len(trace)))
}

// talk says anything, or begins to.
func (k *keeping) talk(d *dialogue) {
	switch k.random.IntN(8) {
	case 0:
		d.Opened()
		d.call()
	case 1:
		d.Open()
	case 2:
		d.Open()
		d.Client("GET /endless HTTP/1.1\r\nX: " + text(k.random.IntN(3000)))
	case 3:
		d.Open()
		d.Client(put())
	case 4:
		d.Open()
		d.Client(chunkedUpload("PUT", "/a", "5;"+text(k.random.IntN(900))))
	default:
		d.talk()
	}
}

// rival is a SYN of another connection on the same ports, with its answer now and then.
func (k *keeping) rival(d *dialogue) {
	seq := k.random.Uint32()
	d.Stray(fromClient, func(s *packettest.Segment) {
		s.Flags, s.Seq, s.Payload = packettest.SYN, seq, []byte(text(k.random.IntN(200)))
	})
	if k.oneIn(2) {
		d.Stray(fromServer, func(s *packettest.Segment) {
			s.Flags, s.Seq, s.Ack = packettest.SYN|packettest.ACK, k.random.Uint32(), seq+1
		})
	}
}

func (k *keeping) speakOnSYN(_ int, s *packettest.Segment) {
	if s.Flags == packettest.SYN {
		s.Payload = []byte(get("/syn"))[:k.random.IntN(20)]
	}
}
