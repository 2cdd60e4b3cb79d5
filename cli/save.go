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
	// maxSaving and maxSavingBytes bound the packets that wait to be saved: 0.8 s
	// of 1,000 calls a second with ten packets each, and as much as waits to be
	// masked. Beyond it capture waits too.
	maxSaving      = 8 << 10
	maxSavingBytes = 8 << 20
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
func (s *saving) size() int { return len(s.Data) + s.Note.Size() }

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
	p.comment = s.join.comment
	p.lasting = s.options.live() && isRegular(p.file)
	p.keeps = func() bool { return s.truncated && s.analyzer.Stats().Packets+s.sieve.PassedOver() == 0 }
	p.tell = func(err error) { say(s.streams.Err, "%s", err) }
	p.lost = s.packetsLost
	go p.writeAll()
	s.analyzer.SaveTo(func(packet capture.Saved) {
		pending := s.join.pending[packet.Conn]
		asks := packet.Begins && (pending != nil || !s.options.live())
		p.add(saving{packet, pending, time.Now().Add(saveWait), asks})
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
