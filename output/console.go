package output

import (
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"imds-analyzer/attribution"
)

// consoleWidth is what a line fits into, in characters, and the share of it
// that the process may take at most.
const (
	consoleWidth = 120
	maxCaller    = 44
	maxMethod    = 10
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
	if _, err := io.WriteString(c.out, c.line(e)); err != nil {
		return WriteError(c.name, err)
	}
	return nil
}

// line is time, version, request, status and process.
func (c *Console) line(e *Entry) string {
	const (
		timeWidth, versionWidth, statusWidth = len("15:04:05.000"), len("unknown"), len("200")
		gaps                                 = 4 * len("  ")
		fixed                                = timeWidth + versionWidth + statusWidth + gaps
	)
	who := cut(Sanitize(consoleCaller(e)), maxCaller)
	room := consoleWidth - fixed - utf8.RuneCountInString(who)
	request := cutMiddle(Sanitize(consoleRequest(e)), room)
	columns := []string{
		pad(c.time(e.Timestamp), timeWidth),
		c.paint(e.IMDS.Version, pad(e.IMDS.Version, versionWidth)),
		pad(request, consoleWidth-fixed-maxCaller),
		pad(consoleStatus(e), statusWidth),
		who,
	}
	return strings.TrimRight(strings.Join(columns, "  "), " ") + "\n"
}

func (c *Console) time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(c.zone).Format("15:04:05.000")
}

func (c *Console) paint(version, text string) string {
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

func consoleRequest(e *Entry) string {
	if e.HTTP.Request.Method == "" {
		return "(request line not seen)"
	}
	return cut(e.HTTP.Request.Method, maxMethod) + " " + e.URL.Original
}

func consoleStatus(e *Entry) string {
	switch {
	case e.HTTP.Response.StatusCode != 0:
		return strconv.Itoa(e.HTTP.Response.StatusCode)
	case e.Event.Outcome == outcomeFailure:
		return "rst"
	}
	return "-"
}

// consoleCaller names the process and its user, or the client's address, and
// on unknown calls the reason.
func consoleCaller(e *Entry) string {
	who := endpoint(e.Source)
	if e.Process.PID != 0 {
		who = processName(&e.Process) + "[" + strconv.Itoa(e.Process.PID) + "]" + certainty(e) + userSuffix(e.User)
	}
	if e.IMDS.Incomplete != "" {
		who += " (" + e.IMDS.Incomplete + ")"
	}
	return who
}

// certainty marks processes that may not be the caller.
func certainty(e *Entry) string {
	switch e.IMDS.Attribution.Status {
	case string(attribution.Inferred):
		return "?"
	case string(attribution.Shared):
		return "+" + strconv.Itoa(len(e.IMDS.Attribution.Candidates))
	}
	return ""
}

func userSuffix(u User) string {
	switch {
	case u.Name != "":
		return " " + u.Name
	case u.ID != "":
		return " uid " + u.ID
	}
	return ""
}
