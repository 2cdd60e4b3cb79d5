// Package report says, from log entries of many hosts, which programs call version 1
// of the metadata service and why, and whether that version can be switched off.
//
// A Builder takes in entries and keeps counts of them, a Report is made of these. What
// comes out does not depend on the order in which entries come in, but that states
// have to come before calls.
package report

import "imds-analyzer/output"

// Builder takes in the entries of logs. It is not safe for concurrent use. Its size
// is bounded by the number of programs and hosts, and these by limits.
type Builder struct {
	options Options
}

// New returns a Builder that has taken in nothing.
func New(o Options) *Builder { return &Builder{options: o} }

// Call takes in a call. The entry is not kept.
func (b *Builder) Call(e *output.Entry) {}

// Lifecycle takes in what is said of a capture. The entry is not kept.
func (b *Builder) Lifecycle(l *output.Lifecycle) {}

// State takes in what an earlier Builder had taken in. States have to come before
// calls, so that a call that is counted in one is not counted again: afterwards it
// fails with ErrStateLate. It fails with ErrStateTwice if another state has counted
// the same calls. A state that fails changes nothing.
func (b *Builder) State(s *State) error { return nil }

// Malformed counts a line that is no log entry.
func (b *Builder) Malformed(file string, line int, err error) {}

// NotOurs counts n lines of other programs.
func (b *Builder) NotOurs(n int) {}

// Report judges what was taken in so far. More can be taken in afterwards.
func (b *Builder) Report() *Report { return &Report{} }
