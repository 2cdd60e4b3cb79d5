package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
)

const (
	// saveWait is how long a packet waits for the process of its connection.
	saveWait = answerWait
	// saveBatch is how many bytes of packets travel together, and are written at once, where many
	// come: to wake the goroutine that writes takes longer than to write one.
	saveBatch = 64 << 10
	// maxSaving bounds the packets that wait to be saved, in bytes: as much as waits to be
	// masked. That is more than 0.8 s of 1,000 calls a second with ten packets each. Beyond it
	// capture waits too.
	maxSaving = 8 << 20
	// maxSpareSaving bounds the batches that are kept to be used again, and maxSpareBytes the room
	// that one has for packets' bytes: 16 are 2 MiB at the most, and 1 MiB as a rule.
	maxSpareSaving = 16
	maxSpareBytes  = 2 * saveBatch
	// savingOverhead is about what a packet takes besides its bytes.
	savingOverhead = 512
)

// saving is a packet on its way to the file.
type saving struct {
	capture.Saved
	pending *attribution.Pending
	due     time.Time
	// asks is true if a request begins in it, of which the comment says who made it.
	asks bool
}

// size is the memory that it takes while it waits.
func (s *saving) size() int { return savingOverhead + len(s.Data) + s.Note.Size() }

// savings are packets that travel together, and the bytes that they are of.
type savings struct {
	packets []saving
	data    []byte
	size    int
}

// add takes in a packet with a copy of its bytes.
func (b *savings) add(s *saving) {
	b.size += s.size()
	start := len(b.data)
	b.data = append(b.data, s.Data...)
	b.packets = append(b.packets, *s)
	b.packets[len(b.packets)-1].Data = b.data[start:]
}

// clear makes room for others. What the packets hold is not kept.
func (b *savings) clear() {
	clear(b.packets)
	*b = savings{packets: b.packets[:0], data: b.data[:0]}
}

// noFile is where nothing is saved.
type noFile struct{}

func (noFile) Close() error { return nil }

// savePackets makes the Analyzer save its packets to the file that the options
// name, replacing an earlier one. Without a name nothing is saved.
func (s *session) savePackets() (io.Closer, error) {
	p := s.packets
	if p == nil {
		return noFile{}, nil
	}
	if s.options.live() || !isRegular(p.file) { // else what is in it stays until something is read
		if err := p.begin(); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot save packets to %s: %w", p.name, err), p.file.Close())
		}
	}
	p.comment = (&comments{join: s.join}).of
	p.lasting = s.options.live() && isRegular(p.file)
	p.keeps = func() bool { return s.truncated && s.analyzer.Stats().Packets+s.sieve.PassedOver() == 0 }
	p.tell = func(err error) { say(s.streams.Err, "%s", err) }
	p.lost = s.packetsLost
	go p.writeAll()
	s.analyzer.SaveTo(func(packet capture.Saved) {
		waits := saving{Saved: packet, pending: s.join.pending[packet.Conn]}
		if waits.asks = packet.Begins && (waits.pending != nil || !s.options.live()); waits.asks && !waits.pending.HasAnswer() {
			waits.due = time.Now().Add(saveWait)
		}
		p.add(&waits)
	})
	return p, nil
}

// packetsLost is how many packets were lost or not saved, at least: input that is cut off ends
// in one that is not whole.
func (s *session) packetsLost() uint64 {
	stats := s.stats()
	n := stats.DroppedByKernel + stats.DroppedByInterface + stats.PacketsNotSaved + s.analyzer.Stats().NotSaved
	if stats.Truncated {
		n++
	}
	return n
}
