package cli

import (
	"context"
	"errors"
	"io"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/output"
)

// readStep is how many packets of files are read between looks at the clock
// and at ctx, and how many may be passed over meanwhile: some 4 ms of work. byteStep is
// how many bytes: a slow disk takes a second or so for them, where packets are large. After
// each step the goroutine that writes is woken, if it has nothing to do.
const (
	readStep = 8 << 10
	passStep = 64 << 10
	byteStep = 32 << 20
)

// frugalAfter is the step from which on it is looked at how much memory may grow: until the
// heap was cleaned once it is not known what is in it, and a look has it cleaned. At the
// start of a file of 20 calls that would take as much processor time as a third of all the rest.
const frugalAfter = 1

// readAlong is how often what is found in files is written, while there is not
// enough of it to fill a buffer.
const readAlong = 100 * time.Millisecond

func (s *session) openFiles(ctx context.Context) (sources []capture.Source, err error) {
	s.sieve = capture.NewSieve(s.options.endpoints)
	if s.files, err = openFiles(ctx, s.options, s.streams.In, s.sieve); err != nil {
		return nil, err
	}
	s.limits = append(s.limits, s.files.passedOver...)
	return []capture.Source{s.files}, nil
}

// read gives the Analyzer what is in files until they or ctx end. What is all
// there needs no reader of its own that waits for more, and no copies: the
// Analyzer takes packets out of the buffer that they were read to.
func (s *session) read(ctx context.Context, source capture.Source) {
	ctx, cancel := s.limited(ctx)
	defer cancel()
	stats := time.Tick(s.options.statsInterval)
	frugality := newFrugality()
	for step := 0; ctx.Err() == nil; step++ {
		if step >= frugalAfter {
			frugality.look()
		}
		select {
		case <-stats:
			s.lifecycle(output.CaptureRuns)
		default:
		}
		err := s.readPackets(source)
		s.flush()
		s.tellFailures()
		if err != nil {
			s.ended(err)
			return
		}
	}
	s.endedEarly = true
}

// readPackets reads some packets.
func (s *session) readPackets(source capture.Source) error {
	passed, read := s.sieve.PassedOver(), s.files.read.Load()
	for range readStep {
		if s.sieve.PassedOver()-passed > passStep || s.files.read.Load()-read > byteStep {
			return nil
		}
		p, err := source.Next()
		if err != nil {
			return err
		}
		s.analyzer.Packet(p)
	}
	return nil
}

// ended takes in the error with which a source has ended.
func (s *session) ended(err error) {
	if !errors.Is(err, io.EOF) {
		s.truncated = true
		s.problem(err)
	}
}

// tellFailures tells what is wrong with files that were read meanwhile.
func (s *session) tellFailures() {
	for _, err := range s.files.failures() {
		s.ended(err)
	}
}

// idle returns what is done when there is nothing to write for the moment: who
// reads along wants what there is. Where files are all there, more comes at once
// most often, so that this is not done each time but every readAlong.
func (s *session) idle() func() time.Duration {
	switch {
	case s.files == nil:
		return func() time.Duration { return s.log.idle(time.Now()) }
	case s.files.stream():
		return func() time.Duration {
			s.log.flush()
			return s.log.due()
		}
	}
	return s.idleInFiles
}

func (s *session) idleInFiles() time.Duration {
	if wait := time.Until(s.flushed.Add(readAlong)); wait > 0 {
		return wait
	}
	s.log.flush()
	s.flushed = time.Now()
	return 0
}
