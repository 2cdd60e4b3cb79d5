package cli

import (
	"cmp"
	"slices"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/output"
)

// lifecycle writes a line about the capture to the log.
func (j *journal) lifecycle(l output.Lifecycle) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stateLifecycle(l)
	for _, w := range j.writers {
		j.check(w.Lifecycle(&l))
	}
	j.countMissing()
}

// line is a line about the capture with the counts so far.
func (j *journal) line(action output.LifecycleAction, stats output.CaptureStats) output.Lifecycle {
	now := time.Now()
	j.readHost(now)
	session := j.session
	session.FirstPacket, session.LastPacket = stats.FirstPacket, stats.LastPacket
	return session.Progress(action, now, j.counts(stats))
}

// saveState saves how far the capture has come.
func (j *journal) saveState(stats output.CaptureStats) {
	l := j.line(output.CaptureRuns, stats)
	j.mu.Lock()
	defer j.mu.Unlock()
	j.stateLifecycle(l)
	j.state.save()
}

// stateLifecycle has the state take in how far the capture has come, and what it has
// counted that is missing from each log: which of several will be read is not known.
func (j *journal) stateLifecycle(l output.Lifecycle) {
	j.countMissing()
	l.NotWritten(j.fewestMissing())
	j.state.lifecycle(&l, j.folding())
}

// fewestMissing is how many entries the log lacks that lacks the fewest; 0 if none
// outlasts errors.
func (j *journal) fewestMissing() uint64 {
	if len(j.lasting) == 0 {
		return 0
	}
	return slices.MinFunc(j.lasting, byMissing).notWritten()
}

func byMissing(a, b *lastingLog) int { return cmp.Compare(a.notWritten(), b.notWritten()) }

// notWritten is how many entries the log lacks that lacks the most. It waits for nothing.
func (j *journal) notWritten() uint64 { return j.missing.Load() }

// countMissing notes what notWritten tells, with the lock held.
func (j *journal) countMissing() {
	if len(j.lasting) > 0 {
		j.missing.Store(slices.MaxFunc(j.lasting, byMissing).notWritten())
	}
}

// progress writes a line about the capture with the counts so far.
func (j *journal) progress(action output.LifecycleAction, stats output.CaptureStats) {
	l := j.line(action, stats)
	if action == output.CaptureStopped {
		j.embed(&l)
	}
	j.lifecycle(l)
}

// methodFailed writes a line that tells why a way to find processes does not work any more. All
// lines from this one on name the others only.
func (j *journal) methodFailed(others []attribution.Method, why string, stats output.CaptureStats) {
	j.mu.Lock() // as in readHost
	j.session.Methods = others
	j.mu.Unlock()
	l := j.line(output.CaptureRuns, stats)
	l.IMDS.Capture.Limits = []string{why}
	j.lifecycle(l)
}

// embedded writes a line about the capture that also tells CloudWatch what was counted.
func (j *journal) embedded(stats output.CaptureStats) {
	l := j.line(output.CaptureRuns, stats)
	j.embed(&l)
	j.lifecycle(l)
}

// found returns how many calls there are so far, and how many of version 1.
func (j *journal) found() (calls, v1 uint64) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.summary.Calls(), j.summary.V1()
}

// withoutPackets counts a connection that was not captured, and returns who made
// it if that was not known before.
func (j *journal) withoutPackets(a attribution.Answer, w *identity.Workload) (owner string) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.summary.AddWithoutPackets(a, w)
}

func (j *journal) counts(stats output.CaptureStats) output.Counts {
	j.mu.Lock()
	defer j.mu.Unlock()
	stats.EndedEarly = stats.EndedEarly || j.endedEarly() // which is known when it is written only
	return j.summary.Counts(stats)
}
