// Package report says, from log entries of many hosts, which programs call version 1
// of the metadata service and why, and whether that version can be switched off.
//
// A Builder takes in entries and keeps counts of them, a Report is made of these. What
// comes out does not depend on the order in which entries come in, but that states
// have to come before calls. (Beyond the limits on hosts, programs and texts it
// does: what comes first is told apart.)
package report

import (
	"cmp"
	"fmt"
	"slices"

	"imds-analyzer/output"
	"imds-analyzer/report/instances"
)

// Builder takes in the entries of logs. It is not safe for concurrent use. Its size
// is bounded by the number of programs and hosts, and these by limits.
type Builder struct {
	options Options
	kept    *kept
	called  bool // a call was taken in
	inputs  Inputs
	listed  *instances.List // nil if there is none
}

// New returns a Builder that has taken in nothing.
func New(o Options) *Builder {
	b := &Builder{options: o, kept: newKept()}
	b.kept.since = o.Since
	return b
}

// Call takes in a call. The entry is not kept.
func (b *Builder) Call(e *output.Entry) {
	b.called = true
	h := b.kept.host(hostKey(&e.HostFields))
	counted := h.counted(e)
	b.inputs.Repeated = sum(b.inputs.Repeated, counted)
	switch {
	case counted == 0:
		b.kept.call(e, h)
	case counted < e.Calls():
		others := *e
		others.IMDS.Folded.Calls -= counted
		b.kept.call(&others, h)
	}
}

// Lifecycle takes in what is said of a capture. The entry is not kept.
func (b *Builder) Lifecycle(l *output.Lifecycle) {
	b.kept.host(hostKey(&l.HostFields)).lifecycle(l)
}

// Folding says which calls of a capture were taken in one by one that one entry will tell
// of together. For those that come after them, a state says how many of them it has counted.
func (b *Builder) Folding(l *output.Lifecycle, folding []output.Folded) {
	b.kept.host(hostKey(&l.HostFields)).Sessions.folding(utc(l.IMDS.Capture.Started), folding)
}

// State takes in what an earlier Builder had taken in. States have to come before
// calls, so that a call that is counted in one is not counted again: afterwards it
// fails with ErrStateLate. It fails with ErrStateTwice if there was another state of
// the same host. A state that fails changes nothing.
func (b *Builder) State(s *State) error {
	if err := b.Resume(s); err != nil {
		return err
	}
	for _, h := range s.kept.sortedHosts() {
		b.kept.host(h.Key).cover(&h.Sessions, s.updated)
	}
	return nil
}

// Resume takes in a state as State does, for a Builder that goes on where the state's
// has ended: all calls that come are new, even if the clock was set back.
func (b *Builder) Resume(s *State) error {
	if b.called {
		return ErrStateLate
	}
	for key := range s.kept.hosts {
		if h, known := b.kept.hosts[key]; known && h.stated {
			return fmt.Errorf("%w: %s", ErrStateTwice, h.title())
		}
	}
	b.kept.merge(s.kept)
	for key := range s.kept.hosts {
		b.kept.host(key).state()
	}
	return nil
}

// Listed takes in which instances there are, in the place of an earlier list.
func (b *Builder) Listed(l *instances.List) { b.listed = l }

// Malformed counts a line that is no log entry.
func (b *Builder) Malformed(file string, line int, err error) {
	b.inputs.malformed(MalformedLine{tidy(file), line, tidy(err.Error())})
}

// NotOurs counts n lines of other programs.
func (b *Builder) NotOurs(n int) { b.inputs.NotOurs += uint64(n) }

// PassedOver counts n files in directories of which it is not known what they hold.
func (b *Builder) PassedOver(n uint64) { b.inputs.PassedOver += n }

// Inputs is what was read besides entries.
type Inputs struct {
	// Malformed lines are no log entries; the first of them are named.
	Malformed      uint64          `json:"malformed"`
	MalformedLines []MalformedLine `json:"malformed_lines,omitempty"`
	// NotOurs are lines of other programs.
	NotOurs uint64 `json:"not_ours"`
	// PassedOver are files in directories of which it is not known what they hold.
	PassedOver uint64 `json:"passed_over"`
	// Repeated are calls in logs that a state had counted.
	Repeated uint64 `json:"repeated"`
}

// MalformedLine is a line of a file, from 1 on.
type MalformedLine struct {
	File  string `json:"file"`
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// maxMalformed bounds the malformed lines that are named.
const maxMalformed = 10

// malformed keeps the first by file and line, in whichever order files are read.
func (i *Inputs) malformed(m MalformedLine) {
	i.Malformed++
	at, _ := slices.BinarySearchFunc(i.MalformedLines, m, func(a, b MalformedLine) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
	if at == maxMalformed {
		return
	}
	i.MalformedLines = slices.Insert(i.MalformedLines, at, m)
	i.MalformedLines = i.MalformedLines[:min(maxMalformed, len(i.MalformedLines))]
}
