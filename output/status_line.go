package output

import (
	"bytes"
	"io"
	"sync"
)

// minStatus is the least width that has room for a status, in columns.
const minStatus = 20

// StatusLine is a line on a terminal that tells how things stand, below
// everything else that is written there. It is drawn without a line feed, and
// the cursor goes back to its first column: whatever the terminal makes of a line
// that has become too long when it is resized, all of that is behind the cursor,
// where it can be erased. Its methods are safe for concurrent use.
type StatusLine struct {
	out  io.Writer
	size func() Size

	mu   sync.Mutex
	text func(width int) string // nil if there is nothing to tell
	// drawn is true if it is on the screen, midLine if the cursor stands behind
	// the beginning of somebody's line.
	drawn, midLine bool
	buffer         []byte
}

// NewStatusLine returns a StatusLine on the terminal out, with nothing to tell.
// size says how large the terminal is at the moment.
func NewStatusLine(out io.Writer, size func() Size) *StatusLine {
	return &StatusLine{out: out, size: size}
}

// Show draws the text anew, and again behind whatever is written, until Clear.
// text makes it fit so many columns. What cannot be drawn is not shown.
func (s *StatusLine) Show(text func(width int) string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = text
	s.write(s.line())
}

// Clear takes the line off the screen.
func (s *StatusLine) Clear() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.text = nil
	s.write(s.erased())
}

// Above returns a writer for w, which may be the same terminal: what is written
// to it comes above the line. If w is the line's own, each Write is still one.
func (s *StatusLine) Above(w io.Writer) io.Writer { return above{s, w} }

type above struct {
	line *StatusLine
	w    io.Writer
}

// Write implements io.Writer.
func (a above) Write(p []byte) (n int, err error) {
	s := a.line
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(p) == 0 {
		return 0, nil
	}
	before := s.erased()
	s.midLine = !bytes.HasSuffix(bytes.TrimSuffix(p, []byte(wrapOn)), []byte("\n"))
	after := s.line()
	if a.w == s.out {
		s.buffer = append(append(append(s.buffer[:0], before...), p...), after...)
		n, err = a.w.Write(s.buffer)
		return max(0, min(len(p), n-len(before))), err
	}
	s.write(before)
	n, err = a.w.Write(p)
	s.write(after)
	return n, err
}

// line is what draws the line where the cursor is, if that is at the beginning of
// one and the line is to be shown.
func (s *StatusLine) line() string {
	size := s.size()
	if s.text == nil || s.midLine || size.Columns <= minStatus || size.Rows < 2 {
		return s.erased()
	}
	s.drawn = true
	// Without autowrap it stays in its row, also where signs are wider. The last
	// column stays free, as in lineWidth.
	return "\r" + eraseDown + wrapOff + s.text(size.Columns-1) + wrapOn + "\r"
}

// erased is what takes the line off the screen, if it is there.
func (s *StatusLine) erased() string {
	if !s.drawn {
		return ""
	}
	s.drawn = false
	return "\r" + eraseDown
}

// write passes over errors: there is nobody left to tell of them.
func (s *StatusLine) write(text string) {
	if text != "" {
		_, _ = io.WriteString(s.out, text)
	}
}
