package capture_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// fuzzLinks are the link types that a fuzz input's first byte chooses from.
var fuzzLinks = []capture.LinkType{
	capture.LinkEthernet, capture.LinkNull, capture.LinkRawBSD, capture.LinkRawOpen, capture.LinkRaw, capture.LinkLoop,
	capture.LinkLinuxSLL, capture.LinkIPv4, capture.LinkIPv6, capture.LinkLinuxSLL2, 147,
}

// A fuzz input is a link type, and packets with three bytes each before them:
// their length, and how many bytes of them are missing.
const fuzzPacketHeader = 3

func fuzzPackets(input []byte) []capture.Packet {
	if len(input) == 0 {
		return nil
	}
	link := fuzzLinks[int(input[0])%len(fuzzLinks)]
	input = input[1:]
	var packets []capture.Packet
	for len(input) >= fuzzPacketHeader {
		n := min(int(binary.BigEndian.Uint16(input)), len(input)-fuzzPacketHeader)
		missing := int(input[2])
		input = input[fuzzPacketHeader:]
		at := packettest.Start.Add(time.Duration(len(packets)) * time.Millisecond)
		packets = append(packets, capture.Packet{Data: input[:n], Length: n + missing, Time: at, LinkType: link, InterfaceID: missing % 3})
		input = input[n:]
	}
	return packets
}

func fuzzInput(link int, packets []capture.Packet) []byte {
	input := []byte{byte(link)}
	for _, p := range packets {
		input = binary.BigEndian.AppendUint16(input, uint16(len(p.Data)))
		input = append(append(input, byte(p.Length-len(p.Data))), p.Data...)
	}
	return input
}

// FuzzAnalyzer: no packets whatever make an Analyzer panic, or find more
// calls than there are bytes for.
func FuzzAnalyzer(f *testing.F) {
	links := []packettest.Link{
		packettest.Ethernet(), packettest.Null(binary.LittleEndian, 30), packettest.Raw(capture.LinkRawBSD), packettest.Raw(capture.LinkRawOpen),
		packettest.Raw(capture.LinkRaw), packettest.Loop(24), packettest.SLL(0), packettest.Raw(capture.LinkIPv4),
		packettest.Raw(capture.LinkIPv6), packettest.SLL2(1, 0),
	}
	for i, link := range links {
		for _, c := range []*packettest.Conversation{packettest.New(), packettest.New6()} {
			f.Add(fuzzInput(i, oneCall(c).On(link).Packets()))
		}
	}
	f.Add(fuzzInput(0, cut(oneCall(packettest.New()), 20)))
	f.Add(fuzzInput(0, everyFragmented()))
	f.Add(fuzzInput(9, trace(threeCalls).Through(packettest.ContainerHops(translated)...).Packets()))
	f.Add(fuzzInput(9, exceedingNAT(packettest.ContainerHops(translated), sentAgain)))
	addRealPackets(f)
	f.Fuzz(func(t *testing.T, input []byte) {
		packets := fuzzPackets(input)
		got := found(t, nil, packets)
		if len(got.calls) > len(input) {
			t.Errorf("%d calls in %d bytes", len(got.calls), len(input))
		}
		r := newRecorder(t)
		a := capture.NewAnalyzer(parseEndpoints(t, nil), capture.LiveLimits(), r)
		for _, p := range packets {
			feed(a, []capture.Packet{p})
			a.Tick(p.Time.Add(10 * time.Second))
		}
		a.Flush()
		r.check()
	})
}

// FuzzTimes: of whatever years packets are, and however far apart, it ends, with the
// calls that were made.
func FuzzTimes(f *testing.F) {
	f.Add(int64(1795408250), uint32(123456789), int64(time.Millisecond))
	f.Add(int64(9223372036), uint32(850000000), int64(time.Millisecond)) // where nanoseconds of 64 bits end
	f.Add(int64(9223372036), uint32(0), int64(-time.Minute-1))
	f.Add(int64(yearsBegin), uint32(1), int64(math.MaxInt64))
	f.Add(int64(yearsEnd), uint32(999999999), int64(math.MinInt64))
	f.Fuzz(func(t *testing.T, seconds int64, nanoseconds uint32, step int64) {
		if seconds < yearsBegin || seconds > yearsEnd {
			return
		}
		packets := oneCall(packettest.New()).Packets()
		at := time.Unix(seconds, int64(nanoseconds%1e9))
		for i := range packets {
			packets[i].Time = at
			if next := at.Add(time.Duration(step)); next.Unix() >= yearsBegin && next.Unix() <= yearsEnd {
				at = next
			}
		}
		if got := found(t, nil, packets); len(got.calls) == 0 {
			t.Error("no call is told")
		}
	})
}

// The years 1 to 9999, in seconds since 1970.
const (
	yearsBegin = -62135596800
	yearsEnd   = 253402300799
)

// realPackets is how many packets of each real capture are a seed: a call or two with
// what leads to it.
const realPackets = 20

// addRealPackets adds the beginnings of the real captures, of any link type that an
// input can have.
func addRealPackets(f *testing.F) {
	files, err := filepath.Glob("../testdata/captures/*.pcap*")
	if err != nil || len(files) == 0 {
		f.Fatalf("no captures: %v", err)
	}
	for _, file := range files {
		packets := beginning(f, file)
		if link := slices.Index(fuzzLinks, packets[0].LinkType); link >= 0 {
			f.Add(fuzzInput(link, packets))
		}
	}
}

func beginning(f *testing.F, file string) (packets []capture.Packet) {
	source := packettest.Open(file)
	defer source.Close()
	for len(packets) < realPackets {
		p, err := source.Next()
		if err != nil {
			f.Fatal(err)
		}
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, *p)
	}
	return packets
}

// The operations of FuzzSegments on the trace of a conversation; each has two
// bytes that say where and how much.
const (
	opDrop = iota
	opRepeat
	opMove
	opSplit
	opOtherBytes
	opFlags
	opCount
)

// harmless are the flags that opFlags changes: any other more or less makes
// it another conversation.
const harmless = ^(packettest.SYN | packettest.FIN | packettest.RST | packettest.ACK)

// handshake is how many packets at the beginning stay where they are, and are
// not repeated after the end, where they would begin a connection: what
// happens otherwise is for TestCorpusAnyOrderOfHandshake and
// TestCorpusManyLost.
const handshake = 3

// farthest is how many places a packet is moved by opMove at most.
const farthest = 8

// FuzzSegments: whatever is done to the segments of a conversation, nothing
// is found that was not sent, and nothing is missing if nothing was done but
// splitting and repeating at once.
func FuzzSegments(f *testing.F) {
	f.Add([]byte{0})
	f.Add([]byte{7, opDrop, 6, 0, opSplit, 3, 30})
	f.Add([]byte{100, opRepeat, 3, 9, opMove, 3, 5, opSplit, 8, 1})
	f.Add([]byte{200, opOtherBytes, 3, 6, opFlags, 9, 4, opDrop, 4, 0})
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) == 0 || len(input) > 64 {
			return
		}
		c := packettest.New()
		c.ClientISN -= uint32(input[0]) << 20
		c.SegmentSize = 20 + int(input[0])
		sent := plainCalls(c, 5)
		changed, whole := operate(c.Trace(), input[1:])
		got := found(t, nil, changed.Packets())
		checkClaims(t, sent, got)
		if whole && len(got.calls) != len(sent) {
			t.Errorf("nothing was lost, and got %q", got.lines())
		}
	})
}

// operate does operations on a trace; whole is true if they took nothing away.
func operate(t packettest.Trace, ops []byte) (changed packettest.Trace, whole bool) {
	whole = true
	var others []int
	for ; len(ops) >= 3 && len(t) > 0; ops = ops[3:] {
		at, much := int(ops[1])%len(t), int(ops[2])
		switch ops[0] % opCount {
		case opDrop:
			if at >= handshake {
				t, whole = t.Drop(at), false
			}
		case opRepeat:
			if at < handshake {
				much %= farthest
			}
			t = t.Repeat(at, min(at+1+much, len(t)))
		case opMove:
			if to := at + much%(2*farthest+1) - farthest; at >= handshake && to >= handshake {
				t, whole = t.Move(at, min(to, len(t)-1)), false
			}
		case opSplit:
			t = split(t, at, much)
		case opOtherBytes:
			others = append(others, at)
		case opFlags:
			t, whole = withFlags(t, at, packettest.Flags(much)&harmless), false
		}
	}
	return withOtherBytes(t, others), whole
}

func split(t packettest.Trace, at, much int) packettest.Trace {
	n := len(t[at].Payload)
	if n < 2 {
		return t
	}
	pieces := t[at].Split(1 + much%(n-1))
	return append(append(t[:at:at], pieces...), t[at+1:]...)
}

func withFlags(t packettest.Trace, at int, flags packettest.Flags) packettest.Trace {
	return t.Edit(func(i int, s *packettest.Segment) {
		if i == at {
			s.Flags ^= flags
		}
	})
}

// withOtherBytes repeats segments at once with another payload, which never
// counts. It is done last, so that the true one is always before it.
func withOtherBytes(t packettest.Trace, others []int) packettest.Trace {
	for _, at := range others {
		if at < len(t) {
			t = t.Repeat(at, at+1)
			t[at+1].Payload = bytes.Repeat([]byte{'#'}, len(t[at].Payload))
		}
	}
	return t
}
