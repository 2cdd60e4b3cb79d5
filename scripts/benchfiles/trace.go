package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"time"
)

// trace writes a capture file in the classic format with microseconds
// (draft-ietf-opsawg-pcap), Ethernet, and keeps the truth about it. Nothing in
// it comes from a clock: the same seed makes the same file.
type trace struct {
	out   *bufio.Writer
	rng   *rand.Rand
	now   int64 // capture time in µs since 1970
	id    uint16
	frame []byte
	truth truth
}

const (
	snaplen = 262144
	// seed is the same for all files.
	seed = 0x169254
	// recordLen is the length in bytes of what stands before each packet.
	fileHeaderLen = 24
	recordLen     = 16
)

// newTrace begins a file.
func newTrace(out io.Writer) *trace {
	t := &trace{
		out: bufio.NewWriterSize(out, 1<<20),
		rng: rand.New(rand.NewPCG(seed, seed)),
		now: time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC).UnixMicro(),
	}
	header := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	header = binary.LittleEndian.AppendUint16(header, 2)
	header = binary.LittleEndian.AppendUint16(header, 4)
	header = append(header, make([]byte, 8)...)
	header = binary.LittleEndian.AppendUint32(header, snaplen)
	header = binary.LittleEndian.AppendUint32(header, 1) // Ethernet
	t.out.Write(header)
	t.truth = truth{Edition: edition, Bytes: fileHeaderLen}
	return t
}

// finish writes what is still buffered and returns the first error of all
// writes.
func (t *trace) finish() (truth, error) { return t.truth, t.out.Flush() }

// segment writes the segment some time after the packet before it.
func (t *trace) segment(s *segment) {
	from, to := s.ends()
	t.id++
	t.frame = appendTCP(t.frame[:0], t.id, from, to, s)
	t.record()
}

// datagram writes a UDP datagram.
func (t *trace) datagram(from, to *end, payload []byte) {
	t.id++
	t.frame = appendUDP(t.frame[:0], t.id, from, to, payload)
	t.record()
}

// record writes t.frame.
func (t *trace) record() {
	t.now += 5 + t.rng.Int64N(20)
	var header [recordLen]byte
	binary.LittleEndian.PutUint32(header[0:], uint32(t.now/1e6))
	binary.LittleEndian.PutUint32(header[4:], uint32(t.now%1e6))
	binary.LittleEndian.PutUint32(header[8:], uint32(len(t.frame)))
	binary.LittleEndian.PutUint32(header[12:], uint32(len(t.frame)))
	t.out.Write(header[:])
	t.out.Write(t.frame)
	t.truth.Packets++
	t.truth.Bytes += int64(recordLen + len(t.frame))
}

// interleave writes sessions, so many of them at once, until next returns
// none.
func (t *trace) interleave(atOnce int, next func() []segment) {
	var playing [][]segment
	for {
		for len(playing) < atOnce {
			session := next()
			if session == nil {
				break
			}
			playing = append(playing, session)
		}
		if len(playing) == 0 {
			return
		}
		i := t.rng.IntN(len(playing))
		t.segment(&playing[i][0])
		playing[i] = playing[i][1:]
		if len(playing[i]) == 0 {
			playing[i] = playing[len(playing)-1]
			playing = playing[:len(playing)-1]
		}
	}
}
