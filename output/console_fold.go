package output

import (
	"fmt"
	"slices"
	"strings"
)

// maxFolded is how many lines can still change: a client that gets a token for
// each request takes two, and two such clients take turns.
const maxFolded = 4

// Sequences that make lines change (ECMA-48; DEC private mode 7, autowrap).
// Without autowrap a line is one row also on terminals that count its columns
// in another way, and so it is known how far up the lines begin.
const (
	upToStart = "\x1b[%dA\r" // so many rows
	eraseDown = "\x1b[J"     // from the cursor to the end of the screen
	wrapOff   = "\x1b[?7l"
	wrapOn    = "\x1b[?7h"
)

// Size is how large a terminal is. It is zero where that is not known.
type Size struct{ Columns, Rows int }

// folds reports whether lines can change: none may wrap, and all of them and the
// row below, where the cursor is, have to be on the screen.
func (s Size) folds() bool { return s.Columns > minLine && s.Rows > maxFolded }

// lineWidth leaves the last column free: terminals do not agree on where the
// cursor is behind it.
func (s Size) lineWidth() int {
	if s.Columns == 0 {
		return maxLine
	}
	return max(minLine, min(maxLine, s.Columns-1))
}

// fold counts a call on the line of those that are like it, if that may change.
func (c *Console) fold(l *consoleLine) bool {
	i := slices.IndexFunc(c.lines, func(other consoleLine) bool { return other.lineText == l.lineText })
	if i < 0 {
		return false
	}
	same := &c.lines[i]
	same.latest, same.number = l.latest, l.number
	same.calls += l.calls
	return true
}

// draw makes the screen show all calls.
func (c *Console) draw() error {
	if c.err != nil {
		return c.err
	}
	size := c.size()
	if size != c.drawn {
		c.leave()
		c.drawn = size
	}
	text := c.changes(size)
	if size.folds() {
		c.lines = c.lines[max(0, len(c.lines)-maxFolded):]
	} else {
		c.lines = c.lines[:0]
	}
	c.write(text)
	return c.err
}

// leave gives up the lines on the screen, which is not known to be as it was
// left: a terminal with another size may have wrapped them anew. The calls that
// they do not show yet get lines of their own.
func (c *Console) leave() {
	for i := range c.lines {
		l := &c.lines[i]
		l.calls, l.shown = l.calls-l.shown, 0
	}
	c.lines = slices.DeleteFunc(c.lines, func(l consoleLine) bool { return l.calls == 0 })
}

// changes is what has to be written: the new lines, or all if one that is on the
// screen has changed. They are all written then, so that none is lost if someone
// has pressed Enter and the cursor is a row further down.
func (c *Console) changes(size Size) string {
	old, stale := 0, false
	for i := range c.lines {
		if l := &c.lines[i]; l.shown > 0 {
			old++
			stale = stale || l.shown < l.calls
		}
	}
	var b strings.Builder
	if stale {
		fmt.Fprintf(&b, upToStart+eraseDown, old)
		old = 0
	}
	for i := range c.lines[old:] {
		l := &c.lines[old+i]
		b.WriteString(c.text(*l, size.lineWidth()))
		l.shown = l.calls
	}
	if b.Len() == 0 || !size.folds() {
		return b.String()
	}
	return wrapOff + b.String() + wrapOn
}
