package cli

import (
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
)

// verdicts are on connections that the kernel told of and whose packets are late. The
// clock alone does not tell that they were not captured: after a stall, or where the output
// holds the capture up, they are in a buffer still. So it is read on, until nothing comes
// any more that was captured before the question.
type verdicts struct {
	asked         time.Time // zero if there is no question
	quiet, latest time.Time // when it is answered: if nothing old comes, and anyway
}

// questions are taken one after the other.
func (v *verdicts) questions(from <-chan struct{}) <-chan struct{} {
	if !v.asked.IsZero() {
		return nil
	}
	return from
}

func (v *verdicts) ask(now time.Time) {
	v.asked, v.quiet, v.latest = now, now.Add(drainTime), now.Add(lookAtClock)
}

// read takes note of what was read.
func (v *verdicts) read(batch *capture.Batch, now time.Time) {
	if !v.asked.IsZero() && batch.Before(v.asked) {
		v.quiet = now.Add(drainTime)
	}
}

// due receives when there may be an answer.
func (v *verdicts) due() <-chan time.Time {
	if v.asked.IsZero() {
		return nil
	}
	return time.After(min(time.Until(v.quiet), time.Until(v.latest)))
}

// age is how old a connection is by now that was late when it was asked. It reports false
// if that cannot be told yet.
func (v *verdicts) age(now time.Time) (age time.Duration, ok bool) {
	if now.Before(v.quiet) && now.Before(v.latest) {
		return 0, false
	}
	age = attribution.ClaimWithin + now.Sub(v.asked)
	v.asked = time.Time{}
	return age, true
}
