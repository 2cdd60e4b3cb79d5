package output

import (
	"io"
	"sync"
	"time"
)

// ANSI sequences (ECMA-48, SGR).
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// Console writes calls for people to read, each as one line. On a terminal calls
// that are alike share a line, which is written anew as long as it is one of the
// last. Before the first call of another day its date stands in a line. All it shows of
// the wire and of processes is made harmless to terminals first. Its methods are safe for
// concurrent use.
type Console struct {
	out   io.Writer
	name  string
	color bool
	zone  *time.Location
	size  func() Size

	mu    sync.Mutex
	lines []consoleLine // that may still change
	drawn Size          // of the terminal when they were written
	day   string        // that of the lines, or that on which it began
	err   error         // the first
}

// NewConsole returns a Console on out, which errors call name. Times are local.
// size tells how large the terminal is at the moment; it is nil if out is none.
func NewConsole(out io.Writer, name string, color bool, size func() Size) *Console {
	if size == nil {
		size = func() Size { return Size{} }
	}
	c := &Console{out: out, name: name, color: color, zone: time.Local, size: size}
	c.day = c.date(time.Now())
	return c
}

// Call shows a call: at once if it has a line of its own, else with Flush.
func (c *Console) Call(e *Entry) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	l := newConsoleLine(e)
	c.turnTo(l.latest)
	if c.fold(&l) {
		return c.err
	}
	c.lines = append(c.lines, l)
	return c.draw()
}

// Flush shows all calls so far.
func (c *Console) Flush() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.draw()
}

// Beside returns a writer for w, which may be the same terminal: what is written
// to it comes behind all calls so far, and stays as it is.
func (c *Console) Beside(w io.Writer) io.Writer { return beside{c, w} }

type beside struct {
	console *Console
	w       io.Writer
}

// Write implements io.Writer. What goes wrong with the console itself its next
// call returns.
func (b beside) Write(p []byte) (int, error) {
	b.console.mu.Lock()
	defer b.console.mu.Unlock()
	_ = b.console.draw()
	b.console.lines = nil
	return b.w.Write(p)
}

// turnTo shows the date of calls if it is not that of those before, whose lines stay as
// they are: a line is of one day.
func (c *Console) turnTo(t time.Time) {
	day := c.date(t)
	if t.IsZero() || day == c.day {
		return
	}
	_ = c.draw() // which comes to its error again
	c.lines, c.day = nil, day
	c.write(day + "\n")
}

func (c *Console) date(t time.Time) string { return t.In(c.zone).Format(time.DateOnly) }

// write writes, until there is an error.
func (c *Console) write(text string) {
	if c.err != nil || text == "" {
		return
	}
	if _, err := io.WriteString(c.out, text); err != nil {
		c.err = WriteError(c.name, err)
	}
}

func (c *Console) time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(c.zone).Format("15:04:05.000")
}

// paint is the version in its column, v1 in red.
func (c *Console) paint(version string) string {
	text := pad(version, versionWidth)
	if !c.color {
		return text
	}
	switch version {
	case "v1":
		return red + text + reset
	case "v2":
		return green + text + reset
	}
	return yellow + text + reset
}
