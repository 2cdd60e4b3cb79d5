package cli

import (
	"context"
	"errors"
	"io"

	"imds-analyzer/capture"
	"imds-analyzer/output"
)

// readStep is how many packets of files are read between looks at the clock
// and at ctx, and how many may be passed over meanwhile: at most 1 ms of work.
const (
	readStep = 256
	passStep = 16 << 10
)

// read gives the Analyzer what is in files until they or ctx end. What is all
// there needs no reader of its own that waits for more, and no copies: the
// Analyzer takes packets out of the buffer that they were read to.
func (s *session) read(ctx context.Context, source capture.Source) {
	stats, stopStats := ticker(s.options.statsInterval)
	defer stopStats()
	if s.options.duration > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.options.duration)
		defer cancel()
	}
	for ctx.Err() == nil {
		select {
		case <-stats:
			s.lifecycle(output.CaptureRuns)
		default:
		}
		err := s.readPackets(source)
		s.join.flush()
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
	passed := s.sieve.PassedOver()
	for range readStep {
		if s.sieve.PassedOver()-passed > passStep {
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
