package cli

import (
	"fmt"
	"time"

	"imds-analyzer/capture"
)

const (
	// drainTime is how long after the end of a live capture packets that came
	// before it are waited for, unless the kernel tells that there are none: longer,
	// for a busy host.
	drainTime = capture.PayloadDelay * 3
	// maxDrain is how long it is read on where more of them wait than that takes. It
	// leaves as much for writing what comes of it before the service manager kills
	// (TimeoutStopSec=, 6 s at the least).
	maxDrain = 3 * time.Second
	// drainStep is how often the kernel is asked.
	drainStep = 10 * time.Millisecond
)

// drain takes in what was captured before the end and is still on its way.
func (s *session) drain(feed *capture.Feed) {
	if !s.options.live() {
		s.endedEarly = !s.take(feed.Take())
		return
	}
	s.ending = time.Now()
	s.takeChanges()
	s.cutShort = !drain(feed, func() bool { return s.hasReadAll(feed) }, func(b *capture.Batch) bool {
		defer s.flush()
		return s.take(b)
	})
	s.networks.drained()
}

// hasReadAll reports whether all was read that the kernel has captured by now, and what it
// has told of connections up to the end. It cannot tell where the kernel counts what
// libpcap passes over: on the loopback interface, the packets that leave.
func (s *session) hasReadAll(feed *capture.Feed) bool {
	read := feed.Packets() // before the others: what comes meanwhile is not read
	captured, ok := s.captured()
	return ok && captured.Received-captured.Dropped == read && !s.resolver.KnowsUntil().Before(s.ending)
}

// captured is what the kernel has captured so far, false if that is not whole.
func (s *session) captured() (all capture.LiveStats, ok bool) {
	all, _ = s.networks.stats() // what was read is theirs, too
	ok = true
	for _, source := range s.live {
		kernel, err := source.Stats()
		if err != nil {
			ok = false
			continue
		}
		all = addStats(all, kernel)
	}
	return all, ok
}

// drain hands out the feed's packets from before now, as long as some come, or until all
// are read that there are. It reports false if there may be more.
func drain(feed *capture.Feed, hasReadAll func() bool, take func(*capture.Batch) (ended bool)) (whole bool) {
	begun := time.Now()
	quiet, late, step := time.NewTimer(drainTime), time.NewTimer(maxDrain), time.NewTicker(drainStep)
	defer quiet.Stop()
	defer late.Stop()
	defer step.Stop()
	for {
		if hasReadAll() {
			take(feed.Take())
			return true
		}
		select {
		case <-step.C:
			continue
		case <-late.C:
			return false
		case <-quiet.C:
			select {
			case <-feed.Ready(): // come while the program did not have its turn
			default:
				return true
			}
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
	all, _ := s.captured()
	held := all.Received - min(all.Received, all.Dropped)
	s.unread = max(1, held-min(held, read))
	s.problem(partialError{fmt.Errorf("%d captured packets were not read within %s of the end: the machine was too busy", s.unread, maxDrain)})
}
