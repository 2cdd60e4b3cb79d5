package cli

import (
	"time"

	"imds-analyzer/output"
)

// fold reports whether an entry that comes later tells of the call. Before that it has
// written what was due by then: the calls move the clock.
func (j *journal) fold(e *output.Entry) bool {
	j.passFolded(j.folder.Due(e.Timestamp))
	if !j.folder.Fold(e) {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.folded++
	switch {
	case j.console == nil:
	case j.limiter.Spare(e):
		j.show(e)
	default:
		j.summary.NotShown()
	}
	return true
}

// limit reports whether an entry that comes later tells of the call, as there are too many
// of its caller.
func (j *journal) limit(e *output.Entry) bool {
	j.passFolded(j.limiter.Due(e.Timestamp))
	if !j.limiter.Limit(e) {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.folded++
	j.summary.OverRate()
	return true
}

func (j *journal) passFolded(entries []*output.Entry) {
	for _, e := range entries {
		j.pass(e)
	}
}

// folding are the calls that entries will tell of which come later.
func (j *journal) folding() []output.Folded {
	return append(j.folder.Open(), j.limiter.Open()...)
}

// idle writes what there is, as nothing comes for the moment. It returns how long it is
// from now until there is more to write though nothing comes, 0 for ever.
func (j *journal) idle(now time.Time) (wait time.Duration) {
	j.passFolded(j.folder.Due(now))
	j.passFolded(j.limiter.Due(now))
	j.flush()
	for _, next := range []time.Time{j.folder.Next(), j.limiter.Next()} {
		if until := next.Sub(now); !next.IsZero() && (wait == 0 || until < wait) {
			wait = until
		}
	}
	return wait
}
