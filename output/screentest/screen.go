// Package screentest is a terminal's screen, for tests of what is shown on one.
package screentest

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// Screen is what a terminal shows of what is written to it, together with the
// rows that were moved out at its top. It knows few sequences, and Write fails
// at any other. A line feed is also a carriage return, as the kernel's terminals
// make it (termios(3), ONLCR).
type Screen struct {
	columns, rows int
	width         func(rune) int
	cells         [][]string   // a wide character's second cell is empty
	wrapped       map[int]bool // the rows in which the line of the row above goes on
	top           int          // the first row that is still on the screen
	x, y          int          // the cursor; x is the number of columns behind the last one
	noWrap        bool
	rest          []byte // the beginning of a sequence
}

// New returns an empty Screen, on which characters are as wide as width says.
func New(columns, rows int, width func(rune) int) *Screen {
	return &Screen{columns: columns, rows: rows, width: width, cells: [][]string{nil}, wrapped: map[int]bool{}}
}

// Resize makes it larger or smaller. Rows stay as they are.
func (s *Screen) Resize(columns, rows int) {
	s.columns, s.rows = columns, rows
	s.x = min(s.x, columns)
	s.scroll()
}

// Lines are all lines with text in them, those that wrapped in one piece.
func (s *Screen) Lines() []string {
	var text strings.Builder
	for y, row := range s.cells {
		if !s.wrapped[y] {
			text.WriteByte('\n')
		}
		text.WriteString(strings.Join(row, ""))
	}
	return strings.FieldsFunc(text.String(), func(r rune) bool { return r == '\n' })
}

var sequence = regexp.MustCompile(`^\x1b\[(\??[0-9;]*)([@-~])`)

// Write implements io.Writer.
func (s *Screen) Write(p []byte) (int, error) {
	text := append(s.rest, p...)
	for len(text) > 0 {
		if text[0] != '\x1b' {
			r, size := utf8.DecodeRune(text)
			if err := s.put(r); err != nil {
				return 0, err
			}
			text = text[size:]
			continue
		}
		found := sequence.FindSubmatch(text)
		if found == nil {
			break
		}
		if err := s.act(string(found[1]), found[2][0]); err != nil {
			return 0, err
		}
		text = text[len(found[0]):]
	}
	s.rest = bytes.Clone(text)
	return len(p), nil
}

// act does what a sequence says.
func (s *Screen) act(parameter string, final byte) error {
	switch {
	case final == 'm':
	case final == 'A':
		n, err := strconv.Atoi(parameter)
		if err != nil || n == 0 {
			return fmt.Errorf("up by %q", parameter)
		}
		s.y = max(s.top, s.y-n)
	case final == 'J' && parameter == "":
		s.erase()
		s.cells = s.cells[:s.y+1]
	case final == 'K' && parameter == "":
		s.erase()
	case parameter == "?7" && (final == 'l' || final == 'h'):
		s.noWrap = final == 'l'
	default:
		return fmt.Errorf("a sequence that is not known: %q %c", parameter, final)
	}
	return nil
}

// erase empties the row from the cursor on. Behind the last column the cursor is
// still on that.
func (s *Screen) erase() {
	at := min(s.x, s.columns-1, len(s.cells[s.y]))
	s.cells[s.y] = s.cells[s.y][:at]
	if at == 0 {
		delete(s.wrapped, s.y)
	}
}

func (s *Screen) put(r rune) error {
	switch {
	case r == '\n':
		s.lineFeed()
	case r == '\r':
		s.x = 0
	case r < ' ' || r == 0x7f:
		return fmt.Errorf("a control character: %q", r)
	case s.width(r) == 0:
		s.mark(r)
	default:
		s.character(r, s.width(r))
	}
	return nil
}

func (s *Screen) lineFeed() {
	s.x = 0
	s.y++
	if s.y == len(s.cells) {
		s.cells = append(s.cells, nil)
		delete(s.wrapped, s.y)
	}
	s.scroll()
}

// scroll keeps the cursor on the screen.
func (s *Screen) scroll() { s.top = max(s.top, s.y-s.rows+1) }

// character puts one at the cursor. Behind the last column it goes on in the next
// row, or, without autowrap, stays in the last column.
func (s *Screen) character(r rune, width int) {
	if s.x+width > s.columns {
		if s.noWrap {
			s.x = s.columns - width
		} else {
			s.lineFeed()
			s.wrapped[s.y] = true
		}
	}
	row := s.cells[s.y]
	for len(row) < s.x+width {
		row = append(row, " ")
	}
	row[s.x] = string(r)
	for i := 1; i < width; i++ {
		row[s.x+i] = ""
	}
	s.cells[s.y] = row
	s.x += width
}

// mark goes on the character before the cursor.
func (s *Screen) mark(r rune) {
	for x := s.x - 1; x >= 0; x-- {
		if s.cells[s.y][x] != "" {
			s.cells[s.y][x] += string(r)
			return
		}
	}
}
