package output

import (
	"strconv"
	"strings"
	"time"

	"imds-analyzer/attribution"
)

// maxLine and minLine are between what a line can be made to fit, in columns: in
// less than 79, which a terminal of 80 has, not enough could be read. maxMethod
// is the share of an absurd method, in characters.
const (
	maxLine   = 120
	minLine   = 79
	maxMethod = 10
)

// consoleLine is the line of calls that are alike.
type consoleLine struct {
	lineText
	latest time.Time
	number string // of the latest: "[4242]", or ":44976" of the client
	calls  uint64
	shown  uint64 // of these, on the screen
}

// lineText is what is the same for calls that are alike, made harmless to
// terminals.
type lineText struct {
	version, request, status string
	owner, program           string // the program is the client's address if it is not known
	certainty, user, reason  string
	userAgent                string // of a program that is not known; not shown
}

// newConsoleLine returns the line of an entry: of one call, or in a flood of several.
func newConsoleLine(e *Entry) consoleLine {
	l := consoleLine{latest: e.Timestamp, calls: e.Calls()}
	l.version, l.request, l.status = e.IMDS.Version, consoleRequest(e), consoleStatus(e)
	l.reason = e.IMDS.Incomplete
	switch {
	case e.IMDS.Folded.Several == SeveralPrograms:
		l.program = "several programs"
		l.owner, l.user = ownerOf(&e.WorkloadFields).name, userName(e.User)
	case e.Process.PID == 0:
		l.program, l.number = client(e.Source)
		l.userAgent = e.UserAgent.Original
	default:
		l.program, l.number = programName(e), "["+strconv.Itoa(e.Process.PID)+"]"
		l.owner, l.certainty, l.user = ownerOf(&e.WorkloadFields).name, certainty(e), userName(e.User)
	}
	for _, text := range []*string{&l.request, &l.owner, &l.program, &l.user, &l.reason} {
		*text = Sanitize(*text)
	}
	return l
}

// The columns of a line that are as wide in all lines, and the least that a
// request takes where there is room for it.
const (
	timeWidth    = len("15:04:05.000")
	versionWidth = len("unknown")
	statusWidth  = len("200")
	between      = "  "
	fixedWidth   = timeWidth + versionWidth + statusWidth + 4*len(between)
	requestWidth = 38
)

// text is the line in at most so many columns. What it ends with must not be lost
// either on terminals to which more characters are wide: how often the call was made.
func (c *Console) text(l consoleLine, width int) string {
	unseen := columns(c.paint(l.version)+"\n") - versionWidth
	for room := width; ; {
		line := c.compose(l, room)
		over := columns(line) - unseen + ambiguous(line) - width
		if l.times() == "" || over <= 0 || room-over < leastRoom {
			return line
		}
		room -= over
	}
}

// leastRoom leaves each part of a line a few columns beside those that are fixed.
const leastRoom = fixedWidth + 20

func (c *Console) compose(l consoleLine, width int) string {
	times := l.times()
	width -= columns(times)
	l.fit(width)
	who := l.who()
	request := pad(l.request, min(requestWidth, width-fixedWidth-columns(who)))
	rest := request + between + pad(l.status, statusWidth) + between + who
	rest = cutEnd(rest, width-timeWidth-versionWidth-2*len(between)) + times
	return pad(c.time(l.latest), timeWidth) + between + c.paint(l.version) + between + strings.TrimRight(rest, " ") + "\n"
}

// fit shortens the parts of the line until they fit into so many columns, or
// none can be any shorter. What was asked for is cut first: owner and program
// stay recognisable.
func (l *consoleLine) fit(width int) {
	for _, step := range []struct {
		part  *string
		least int
		cut   func(string, int) string
	}{
		{&l.request, width / 6, cutMiddle},
		{&l.owner, width / 4, cutMiddle},
		{&l.user, width / 15, cutEnd},
		{&l.program, width / 8, cutMiddle},
		{&l.owner, width / 10, cutMiddle},
	} {
		over := fixedWidth + columns(l.request) + columns(l.who()) - width
		if over <= 0 {
			return
		}
		*step.part = step.cut(*step.part, max(step.least, columns(*step.part)-over))
	}
}

// who is "web-1: python3 sync.py[4242] app". On unknown calls the reason follows.
func (l *consoleLine) who() string {
	who := l.program + l.number + l.certainty
	if l.owner != "" {
		who = l.owner + ": " + who
	}
	if l.user != "" {
		who += " " + l.user
	}
	if l.reason != "" {
		who += " (" + l.reason + ")"
	}
	return who
}

// times is how many calls the line stands for, if it is more than one.
func (l *consoleLine) times() string {
	if l.calls == 1 {
		return ""
	}
	return between + "×" + strconv.FormatUint(l.calls, 10)
}

func consoleRequest(e *Entry) string {
	method := cut(e.HTTP.Request.Method, maxMethod)
	switch {
	case e.IMDS.Folded.Several != "":
		return JoinKnown(" ", method, "(several)")
	case method == "":
		return "(request line not seen)"
	}
	return method + " " + e.URL.Original
}

func consoleStatus(e *Entry) string {
	switch {
	case e.StatusText() != "":
		return e.StatusText()
	case e.Event.Outcome == outcomeFailure:
		return "rst"
	}
	return "-"
}

// client splits the client's end into address and ":port".
func client(a Address) (address, port string) {
	text := endpoint(a)
	colon := max(0, strings.LastIndexByte(text, ':'))
	return text[:colon], text[colon:]
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

func userName(u User) string {
	if u.Name == "" && u.ID != "" {
		return "uid " + u.ID
	}
	return u.Name
}
