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
	j.show(e)
	return true
}

func (j *journal) passFolded(entries []*output.Entry) {
	for _, e := range entries {
		j.pass(e)
	}
}

// idle writes what there is, as nothing comes for the moment. It returns how long it is
// from now until there is more to write though nothing comes, 0 for ever.
func (j *journal) idle(now time.Time) time.Duration {
	j.passFolded(j.folder.Due(now))
	j.flush()
	if next := j.folder.Next(); !next.IsZero() {
		return next.Sub(now)
	}
	return 0
}
