package cli

import (
	"time"

	"imds-analyzer/output"
)

// clock is the time by which periods end: the calls move it where files are read. In a live
// capture it is when they are taken in. Whoever makes a request chooses how long it takes,
// and so how old it is then: that may end nobody's period.
func (j *journal) clock(e *output.Entry) time.Time {
	if j.now != nil {
		return j.now()
	}
	return e.Timestamp
}

// fold reports whether an entry that comes later tells of the call. Before that it has
// written what was due by now.
func (j *journal) fold(e *output.Entry, now time.Time) bool {
	j.passFolded(j.folder.Due(now))
	if !j.folder.Fold(e) {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.countFolded()
	switch {
	case j.console == nil:
	case j.shown.Spare(e, now):
		j.show(e)
	default:
		j.summary.NotShown()
	}
	return true
}

// limit reports whether an entry that comes later tells of the call, as there are too many
// of its caller.
func (j *journal) limit(e *output.Entry, now time.Time) bool {
	j.passFolded(j.limiter.Due(now))
	if !j.limiter.Limit(e, now) {
		return false
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.countFolded()
	j.summary.OverRate(j.limiter.Together(), j.limiter.Beyond())
	return true
}

func (j *journal) countFolded() { j.folded = j.folder.Together() + j.limiter.Together() }

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
	wait = j.due()
	for _, next := range []time.Time{j.folder.Next(), j.limiter.Next()} {
		if until := max(next.Sub(now), 1); !next.IsZero() && (wait == 0 || until < wait) {
			wait = until
		}
	}
	return wait
}
