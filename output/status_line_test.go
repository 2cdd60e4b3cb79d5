package output

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"imds-analyzer/output/screentest"
)

// aboveStatus is a folding console with a status line below it, and the same console
// without one.
type aboveStatus struct {
	*folding
	status *StatusLine
	shown  string
	other  *folding
}

func newAboveStatus(t *testing.T, size Size, width func(rune) int) *aboveStatus {
	f := &folding{t: t, size: size, screen: screentest.New(size.Columns, size.Rows, width)}
	status := NewStatusLine(f.screen, func() Size { return f.size })
	f.Console = NewConsole(status.Above(f.screen), "standard output", true, func() Size { return f.size })
	f.day = f.date(testTime)
	f.beside = f.Beside(status.Above(f.screen))
	return &aboveStatus{folding: f, status: status, other: newFolding(t, size, width)}
}

// do takes the steps of folding, and + for a status that is shown, - for none.
func (a *aboveStatus) do(steps string) {
	a.t.Helper()
	for _, step := range steps {
		switch step {
		case '+':
			a.shown = "status"
			a.status.Show(func(width int) string { return pad(a.shown, width)[:width] })
		case '-':
			a.shown = ""
			a.status.Clear()
		default:
			if err := errors.Join(a.step(step), a.other.step(step)); err != nil {
				a.t.Fatal(err)
			}
		}
	}
}

// check compares the screen with the one that has no status.
func (a *aboveStatus) check(steps string) {
	a.t.Helper()
	lines, want := a.screen.Lines(), a.other.screen.Lines()
	if a.shown != "" && a.size.Columns > minStatus {
		if len(lines) == 0 || !strings.HasPrefix(lines[len(lines)-1], a.shown) {
			a.t.Fatalf("%s: no status at the end of %q", steps, lines)
		}
		lines = lines[:len(lines)-1]
	}
	if !slices.Equal(lines, want) {
		a.t.Fatalf("%s: got %q, want %q", steps, lines, want)
	}
}

func TestStatusLine(t *testing.T) {
	for _, steps := range []string{"+", "+-", "A+B", "A+B-", "+AAA!BAB", "+A.A.!-A", "AB+>A+<B.-", "+<<<<<<<<<<<A>>>>B", "+ABCDEFGHABAB-ABAB"} {
		for _, size := range []Size{{120, 24}, {80, 5}, {79, 24}, {21, 2}} {
			a := newAboveStatus(t, size, runeColumns)
			for i, step := range steps {
				a.do(string(step))
				if step == '+' || step == '-' || step == '.' {
					a.check(steps[:i+1])
				}
			}
			a.do(".-")
			a.check(steps)
		}
	}
}

// A terminal without room shows none.
func TestStatusLineWithoutRoom(t *testing.T) {
	for _, size := range []Size{{}, {minStatus, 24}, {80, 1}} {
		var out strings.Builder
		s := NewStatusLine(&out, func() Size { return size })
		s.Show(func(int) string { return "status" })
		io.WriteString(s.Above(&out), "text\n")
		s.Clear()
		if out.String() != "text\n" {
			t.Errorf("%v: %q", size, out.String())
		}
	}
}

// One that has become too small has it no more.
func TestStatusLineLosesItsRoom(t *testing.T) {
	size := Size{80, 24}
	screen := screentest.New(80, 24, runeColumns)
	s := NewStatusLine(screen, func() Size { return size })
	show := func() { s.Show(func(int) string { return "status" }) }
	show()
	size.Columns = minStatus
	show()
	if lines := screen.Lines(); len(lines) != 0 {
		t.Errorf("still there: %q", lines)
	}
}

// Behind half a line there is none, until that is ended.
func TestStatusLineWaitsForTheLine(t *testing.T) {
	screen := screentest.New(80, 24, runeColumns)
	s := NewStatusLine(screen, func() Size { return Size{80, 24} })
	w := s.Above(screen)
	for _, tt := range []struct{ text, want string }{{"one", "one"}, {" line\n", "one line|status"}, {"two\n", "one line|two|status"}, {"", "one line|two|status"}} {
		io.WriteString(w, tt.text)
		s.Show(func(int) string { return "status" })
		if got := strings.Join(screen.Lines(), "|"); got != tt.want {
			t.Errorf("got %s, want %s", got, tt.want)
		}
	}
}

// On the line's own terminal all that a Write changes is one write.
func TestStatusLineWritesOnce(t *testing.T) {
	var writes []string
	terminal := writerFunc(func(p []byte) (int, error) {
		writes = append(writes, string(p))
		return len(p), nil
	})
	s := NewStatusLine(&terminal, func() Size { return Size{80, 24} })
	s.Show(func(int) string { return "status" })
	if n, err := io.WriteString(s.Above(&terminal), "text\n"); n != 5 || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	drawn := "\r\x1b[J\x1b[?7lstatus\x1b[?7h\r"
	if want := []string{drawn, "\r\x1b[Jtext\n" + drawn}; !slices.Equal(writes, want) {
		t.Errorf("got %q, want %q", writes, want)
	}
}

type writerFunc func([]byte) (int, error)

func (f *writerFunc) Write(p []byte) (int, error) { return (*f)(p) }

// What goes wrong with what is written is told, and nothing else.
func TestStatusLineErrors(t *testing.T) {
	s := NewStatusLine(&full{err: syscall.EIO}, func() Size { return Size{80, 24} })
	s.Show(func(int) string { return "status" })
	var out strings.Builder
	if _, err := io.WriteString(s.Above(&out), "text\n"); err != nil || out.String() != "text\n" {
		t.Errorf("%v: %q", err, &out)
	}
	if _, err := io.WriteString(s.Above(&full{err: syscall.EPIPE}), "text\n"); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v", err)
	}
}

func TestStatusLineIsConcurrent(t *testing.T) {
	screen := screentest.New(80, 24, runeColumns)
	s := NewStatusLine(screen, func() Size { return Size{80, 24} })
	var others sync.WaitGroup
	for range 3 {
		others.Go(func() {
			for range 100 {
				fmt.Fprintln(s.Above(screen), "!")
			}
		})
	}
	for range 100 {
		s.Show(func(int) string { return "status" })
	}
	others.Wait()
	s.Clear()
	if lines := screen.Lines(); len(lines) != 300 || slices.ContainsFunc(lines, func(l string) bool { return l != "!" }) {
		t.Errorf("%d lines: %.200q", len(lines), lines)
	}
}

// Whatever comes, all else is on the screen as it is without a status.
func FuzzStatusLine(f *testing.F) {
	f.Add([]byte("A+AB.C!-F."), 120, 24, false)
	f.Add([]byte("+AAA<AAA>B.A"), 80, 5, true)
	f.Fuzz(func(t *testing.T, input []byte, columns, rows int, asWide bool) {
		const alphabet = "ABCDEFé日.!<>+-"
		letters := []rune(alphabet)
		var steps strings.Builder
		for _, b := range input[:min(len(input), 100)] {
			steps.WriteRune(letters[int(b)%len(letters)])
		}
		width := runeColumns
		if asWide {
			width = func(r rune) int { return min(2, max(runeColumns(r), int(r)>>7+1)) }
		}
		a := newAboveStatus(t, Size{Columns: 2 + int(uint(columns)%130), Rows: 2 + int(uint(rows)%40)}, width)
		a.do(steps.String())
		a.do(".-")
		a.check(steps.String())
	})
}
