package logs

import (
	"bytes"

	"imds-analyzer/output"
)

// batch is some whole lines of a log, and then what they hold.
type batch struct {
	text   []byte
	first  int  // the number of the first line
	long   bool // that line is too long, and not in text
	parsed chan struct{}

	calls   []output.Entry // room that is used again
	found   []found        // in the order of the lines
	notOurs int
}

// found is what a line holds: a call, by its place in the batch, a line about the
// capture, or an error. A line can hold an entry and an error.
type found struct {
	line      int
	call      int
	lifecycle *output.Lifecycle
	err       error
}

func newBatch() *batch { return &batch{parsed: make(chan struct{}, 1)} }

func (b *batch) reset(first int) {
	clear(b.found)
	*b = batch{text: b.text[:0], first: first, parsed: b.parsed, calls: b.calls[:0], found: b.found[:0]}
}

// parse finds out what the lines hold.
func (b *batch) parse() {
	line := b.first
	if b.long {
		b.found = append(b.found, found{line: line, err: errLong})
		line++
	}
	for text := range bytes.Lines(b.text) {
		b.parseLine(line, text)
		line++
	}
}

func (b *batch) parseLine(line int, text []byte) {
	b.calls = append(b.calls, output.Entry{})
	last := len(b.calls) - 1
	kind, lifecycle, err := parseNth(line, text, &b.calls[last])
	if kind != call {
		b.calls = b.calls[:last]
	}
	if err != nil {
		b.found = append(b.found, found{line: line, err: err})
	}
	switch kind {
	case call:
		b.found = append(b.found, found{line: line, call: last})
	case capture:
		b.found = append(b.found, found{line: line, lifecycle: lifecycle})
	case notOurs:
		b.notOurs++
	}
}

// deliver hands over what the lines hold.
func (b *batch) deliver(name string, to Receiver) {
	for i := range b.found {
		switch f := &b.found[i]; {
		case f.err != nil:
			to.Malformed(name, f.line, f.err)
		case f.lifecycle != nil:
			to.Lifecycle(f.lifecycle)
		default:
			to.Call(&b.calls[f.call])
		}
	}
	if b.notOurs > 0 {
		to.NotOurs(b.notOurs)
	}
}
