package cli

import (
	"fmt"
	"time"

	"imds-analyzer/capture"
)

const (
	// drainTime is how long after the end of a live capture packets that came
	// before it are waited for: longer, for a busy host.
	drainTime = capture.PayloadDelay * 3
	// maxDrain is how long it is read on where more of them wait than that takes. It
	// leaves as much for writing what comes of it before the service manager kills
	// (TimeoutStopSec=, 6 s at the least).
	maxDrain = 3 * time.Second
)

// drain takes in what was captured before the end and is still on its way.
func (s *session) drain(feed *capture.Feed) {
	if !s.options.live() {
		s.endedEarly = !s.take(feed.Take())
		return
	}
	s.cutShort = !drain(feed, func(b *capture.Batch) bool {
		defer s.join.flush()
		return s.take(b)
	})
}

// drain hands out the feed's packets from before now, as long as some come. It reports
// false if there may be more.
func drain(feed *capture.Feed, take func(*capture.Batch) (ended bool)) (whole bool) {
	begun := time.Now()
	quiet, late := time.NewTimer(drainTime), time.NewTimer(maxDrain)
	defer quiet.Stop()
	defer late.Stop()
	for {
		select {
		case <-late.C:
			return false
		case <-quiet.C:
			return true
		case <-feed.Ready():
		}
		batch := feed.Take()
		old := batch.Before(begun)
		if take(batch) || !old && time.Since(begun) >= drainTime {
			return true
		}
		quiet.Reset(drainTime)
	}
}

// leaveUnread counts the packets that the kernel has handed over and nobody has read.
func (s *session) leaveUnread() {
	if !s.cutShort {
		return
	}
	read := s.analyzer.Stats().Packets
	all, _ := s.networks.stats() // what was read is theirs, too
	for _, source := range s.live {
		if kernel, err := source.Stats(); err == nil {
			all = addStats(all, kernel)
		}
	}
	held := all.Received - min(all.Received, all.Dropped)
	s.unread = max(1, held-min(held, read))
	s.problem(partialError{fmt.Errorf("%d captured packets were not read within %s of the end: the machine was too busy", s.unread, maxDrain)})
}
