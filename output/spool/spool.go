// Package spool keeps lines of a log that cannot be written for a while, as on a disk
// that is full, and writes them when they can be.
package spool

import (
	"bytes"
	"io"
	"time"
)

const (
	// maxWaiting bounds what is kept: 6,000 entries of 1.3 KiB, or what comes in 6 s of
	// 1,000 calls a second, in 8 MiB.
	maxWaiting = 8 << 20
	// RetryEvery is how often writing is tried again. What fails at once costs next to
	// nothing, and a disk that takes its time for that is not to hold up the log.
	RetryEvery = time.Second
)

// Spool is the way to where a log is written. What cannot be written waits; of what
// there is no room for, the oldest lines are dropped and counted. It is not safe for
// concurrent use.
type Spool struct {
	out io.Writer
	// gap returns the line that stands in the place of those that are missing.
	gap func(missing uint64) []byte
	now func() time.Time

	waiting [][]byte // of whole lines, the oldest first
	size    int      // of all that
	err     error    // of the latest try, nil if nothing waits
	next    time.Time
	lost    uint64
	told    uint64 // of lost, those that the log tells of
	errors  uint64
}

// New returns a Spool to out, whose Write takes whole lines and returns with an error
// how many bytes it has taken, whole lines, too. Missing are lines that the log lacks
// already: it is to tell of them.
func New(out io.Writer, gap func(missing uint64) []byte, missing uint64) *Spool {
	return &Spool{out: out, gap: gap, now: time.Now, lost: missing}
}

// Write takes whole lines. It does not fail: Err says how writing goes.
func (s *Spool) Write(lines []byte) (int, error) {
	all := len(lines)
	if s.err == nil {
		lines = s.write(lines)
	}
	if len(lines) > 0 {
		s.keep(lines)
		s.Flush()
	}
	return all, nil
}

// write writes what it can, and returns the rest.
func (s *Spool) write(lines []byte) (rest []byte) {
	if s.lost > s.told {
		gap := s.gap(s.lost)
		if _, s.err = s.out.Write(gap); s.err != nil {
			s.errors++
			return lines
		}
		s.told = s.lost
	}
	n, err := s.out.Write(lines)
	if s.err = err; err != nil {
		s.errors++
	}
	return lines[n:]
}

// keep has lines wait behind the others.
func (s *Spool) keep(lines []byte) {
	if s.size == 0 {
		s.next = s.now().Add(RetryEvery)
	}
	s.waiting = append(s.waiting, bytes.Clone(lines))
	s.size += len(lines)
	for s.size > maxWaiting {
		s.drop()
	}
}

// drop drops the oldest line.
func (s *Spool) drop() {
	line, rest, _ := bytes.Cut(s.waiting[0], []byte("\n"))
	s.lost++
	s.size -= len(line) + 1
	s.advance(rest)
}

// advance has only the rest of the oldest lines wait.
func (s *Spool) advance(rest []byte) {
	if len(rest) > 0 {
		s.waiting[0] = rest
		return
	}
	s.waiting[0] = nil // the memory is free
	s.waiting = s.waiting[1:]
}

// Flush tries again to write what waits, if it is time to.
func (s *Spool) Flush() {
	if s.err != nil && !s.now().Before(s.next) {
		s.retry()
	}
}

func (s *Spool) retry() {
	s.next = s.now().Add(RetryEvery)
	s.err = nil
	for len(s.waiting) > 0 {
		before := len(s.waiting[0])
		rest := s.write(s.waiting[0])
		s.size -= before - len(rest)
		s.advance(rest)
		if s.err != nil {
			return
		}
	}
	s.waiting = nil
}

// Due is how long to wait before Flush does something; 0 if nothing waits.
func (s *Spool) Due() time.Duration {
	if s.err == nil {
		return 0
	}
	return max(s.next.Sub(s.now()), 1)
}

// Err is why lines wait, nil if none do.
func (s *Spool) Err() error { return s.err }

// Errors is how often writing has failed.
func (s *Spool) Errors() uint64 { return s.errors }

// Lacks has the log tell of more lines that it lacks: where it stands now.
func (s *Spool) Lacks(more uint64) { s.lost += more }

// Missing is how many lines the log lacks, those included that it lacked before.
func (s *Spool) Missing() uint64 { return s.lost }

// Close writes what waits, now or never: the rest is missing. It returns why.
func (s *Spool) Close() error {
	if s.err != nil {
		s.retry()
	}
	for _, lines := range s.waiting {
		s.lost += uint64(bytes.Count(lines, []byte("\n")))
	}
	s.waiting, s.size = nil, 0
	return s.err
}
