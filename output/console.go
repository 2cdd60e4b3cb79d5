package output

import (
	"io"
	"time"
)

// ANSI sequences (ECMA-48, SGR).
const (
	red    = "\x1b[31m"
	green  = "\x1b[32m"
	yellow = "\x1b[33m"
	reset  = "\x1b[0m"
)

// Console writes calls for people to read, each as one line. All it shows of
// the wire and of processes is made harmless to terminals first.
type Console struct {
	out   io.Writer
	name  string
	color bool
	zone  *time.Location
}

// NewConsole returns a Console on out, which errors call name. Times are local.
func NewConsole(out io.Writer, name string, color bool) *Console {
	return &Console{out: out, name: name, color: color, zone: time.Local}
}

// Call writes the line of a call.
func (c *Console) Call(e *Entry) error {
	if _, err := io.WriteString(c.out, c.text(newConsoleLine(e), maxLine)); err != nil {
		return WriteError(c.name, err)
	}
	return nil
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
