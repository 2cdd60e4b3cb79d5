package cli

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"imds-analyzer/capture"
	"imds-analyzer/output"
)

// Times of a live capture.
const (
	// deliveryDelay is the most that a packet takes from the kernel to us, with
	// some room: the clock stays that far behind.
	deliveryDelay = capture.PayloadDelay * 3 / 2
	// mergeStep is how much longer packets of several sources wait, so that there is
	// not a step for each of them.
	mergeStep = 20 * time.Millisecond
	// lookAtClock is how often, at least, something that waits is looked at, whatever else
	// has its turn meanwhile: the clock may have been set.
	lookAtClock = time.Minute
	// clockStep is how far the clock is set back that is taken note of. Less only has
	// something wait for so much longer.
	clockStep = time.Second
)

// capture feeds the Analyzer until the input or ctx ends.
func (s *session) capture(ctx context.Context, feed *capture.Feed) {
	defer feed.Stop()
	feed.Start()
	s.notifier.tell(daemon.SdNotifyReady)
	s.notifyStatus()
	s.writeMetrics()
	ctx, cancel := s.limited(ctx)
	defer cancel()
	stats := time.Tick(s.options.statsInterval) // never where that is 0, as with the others
	save := time.Tick(s.log.state.interval())
	export := time.Tick(s.textfile.interval())
	embed := time.Tick(s.options.emfEvery())
	alive := time.Tick(s.notifier.interval())
	failed := s.resolver.Failed()
	var late verdicts
	for {
		select {
		case <-ctx.Done():
			s.notifier.tell(daemon.SdNotifyStopping)
			s.drain(feed)
			return
		case <-feed.Ready():
			batch := feed.Take()
			late.read(batch, time.Now())
			if s.take(batch) {
				return
			}
		case <-s.clock():
			s.tick()
		case <-late.questions(s.resolver.Missing()):
			late.ask(time.Now())
		case now := <-late.due():
			if age, ok := late.age(now); ok {
				s.takeMissing(age)
			}
		case <-stats:
			s.lifecycle(output.CaptureRuns)
		case <-save:
			s.saveState()
		case <-export:
			s.writeMetrics()
		case answer := <-s.scrapes.waiting():
			s.answerScrape(answer)
		case <-embed:
			s.writeEmbedded()
		case <-alive:
			s.notifyAlive()
		case <-failed:
			failed = nil
			s.methodFailed()
		case change := <-s.interfaces:
			s.interfaceChanged(change)
		case <-s.flaps.due:
			s.tellFlaps()
		case <-s.hangups:
			s.join.lifecycle(s.log.reopen)
		}
		s.flush()
	}
}

// flush sends on what was found and was not sent yet. It is called whenever there is nothing
// more to take in for the moment.
func (s *session) flush() {
	s.join.flush()
	s.packets.flush()
}

// limited ends ctx when as much time is over as the run has.
func (s *session) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.options.duration > 0 {
		return context.WithTimeout(ctx, s.options.duration)
	}
	return ctx, func() {}
}

// clock receives when time alone changes something: on a quiet wire a request
// that is never answered is to be reported all the same. Offline, only packets
// move the clock.
func (s *session) clock() <-chan time.Time {
	if !s.options.live() {
		return nil
	}
	due, ok := s.analyzer.Due()
	if s.merge != nil {
		if waiting, any := s.merge.Due(); any && (!ok || waiting.Add(mergeStep).Before(due)) {
			due, ok = waiting.Add(mergeStep), true
		}
	}
	if !ok {
		return nil
	}
	return time.After(min(time.Until(due), time.Until(s.looked.Add(lookAtClock))) + deliveryDelay)
}

// wallClock is the clock that packets have their times from, which people and programs
// set. Its reading is without that of the monotonic clock.
type wallClock struct{ last time.Time }

// setBack reports whether it was set back since the last look.
func (w *wallClock) setBack(now time.Time) bool {
	before := w.last
	w.last = now.Round(0)
	return w.last.Before(before.Add(-clockStep))
}

// followClock has what waits not wait for the time that the clock was set back by: also
// what packets have begun that were captured before and are read only now. It comes behind
// those that are there, which are no news of what is captured by the new clock.
func (s *session) followClock() {
	now := time.Now()
	s.looked = now
	if s.wall.setBack(now) || s.analyzer.Ahead() {
		s.analyzer.SetBack(now)
	}
}

// tick moves the clock of a live capture.
func (s *session) tick() {
	s.analyzer.Latest(time.Now().Add(clockStep))
	s.releaseMerged()
	s.followClock()
	s.analyzer.Tick(time.Now().Add(-deliveryDelay))
}

// releaseMerged gives the Analyzer what waits no longer for packets of other sources.
func (s *session) releaseMerged() {
	if s.merge != nil {
		now := time.Now()
		s.merge.Release(now.Add(-deliveryDelay), now, s.analyzer.Packet)
	}
}

// take gives the Analyzer what has come. It reports true at the end of input.
func (s *session) take(batch *capture.Batch) bool {
	if s.options.live() {
		s.analyzer.Latest(time.Now().Add(clockStep))
	}
	if s.merge == nil && s.networks.any() {
		s.merge = &capture.Merge{}
	}
	if s.merge != nil {
		batch.Packets(s.merge.Add)
		s.releaseMerged()
	} else {
		batch.Packets(s.analyzer.Packet)
	}
	if s.options.live() {
		s.followClock()
	}
	for _, err := range batch.Errors {
		s.ended(err)
	}
	s.tellFailures()
	return batch.Ended
}
