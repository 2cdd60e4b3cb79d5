package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"
)

// shownPrograms, shownHosts and shownPaths bound what the text shows; what is more it
// counts. The JSON has all.
const (
	shownPrograms = 50
	shownHosts    = 20
	shownPaths    = 5
)

// width is how many columns the text takes at most, unless a single word is longer.
const width = 100

// Print writes the report as text for a terminal.
func (r *Report) Print(w io.Writer) error {
	t := &text{}
	r.printVerdict(t)
	r.printPrograms(t)
	r.printHosts(t)
	r.printInventory(t)
	r.printSteps(t)
	r.printInputs(t)
	if _, err := io.WriteString(w, t.String()); err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return nil
}

func (r *Report) printVerdict(t *text) {
	t.line(r.Headline())
	t.items(r.Verdict.Against)
	if len(r.Verdict.Against) > 0 && len(r.Verdict.Missing) > 0 {
		t.line("Besides, this is missing before silence would prove anything:")
	}
	t.items(r.Verdict.Missing)
	t.line("")
	t.line(fmt.Sprintf("%s: %d v1, %d v2 (%s), %d unknown; %s", plural(r.Calls.all(), "call", "calls"), r.Calls.V1, r.Calls.V2,
		plural(r.Calls.TokenRequests, "token request", "token requests"), r.Calls.Unknown, plural(uint64(len(r.Hosts)), "host", "hosts")))
	r.printReady(t)
}

// printInputs says what was read besides calls, and what the text leaves out.
func (r *Report) printInputs(t *text) {
	t.line("")
	i := &r.Inputs
	for _, m := range i.MalformedLines {
		t.line(fmt.Sprintf("Not read: %s, line %d: %s", m.File, m.Line, m.Error))
	}
	if more := less(i.Malformed, uint64(len(i.MalformedLines))); more > 0 {
		t.line("Not read: " + plural(more, "more line", "more lines"))
	}
	if i.NotOurs > 0 {
		t.line("Passed over: " + plural(i.NotOurs, "line of another program", "lines of other programs"))
	}
	if i.Repeated > 0 {
		t.line("Counted once: " + plural(i.Repeated, "call", "calls") + " of a log that a state file had counted")
	}
	t.line(r.Note)
}

// text is lines for a terminal.
type text struct {
	strings.Builder
	said map[string]bool // advice: of many programs it is the same
}

// again reports whether it is asked for the second time or later.
func (t *text) again(s string) bool {
	if t.said[s] {
		return true
	}
	if t.said == nil {
		t.said = map[string]bool{}
	}
	t.said[s] = true
	return false
}

// onceOnly is a text, or that it stands above.
func (t *text) onceOnly(s string) string {
	if s != "" && t.again(s) {
		return "as above"
	}
	return s
}

// advice writes what to do. The second time its first sentence is enough.
func (t *text) advice(todo, lines string) {
	first, rest, _ := strings.Cut(todo, ". ")
	if rest != "" && t.again(todo) {
		todo = first + ", as above."
	}
	if lines != "" && t.again(lines) {
		todo, lines = strings.Replace(todo, "the lines below", "the lines above", 1), ""
	}
	t.field("to do", todo)
	t.block(lines)
}

func (t *text) line(s string) { t.wrap("", "", s) }

func (t *text) items(items []Item) {
	for i := range items {
		t.wrap("  - ", "    ", items[i].Text)
	}
}

// field writes something with a label before it, if it is known.
func (t *text) field(label, s string) {
	if s != "" {
		t.wrap(fmt.Sprintf("    %-13s", label), strings.Repeat(" ", 17), s)
	}
}

// wrap writes words in lines of the width; first stands before the first line, then
// before others.
func (t *text) wrap(first, then, s string) {
	column := utf8.RuneCountInString(strings.TrimLeft(first, "\n"))
	t.WriteString(first)
	for i, word := range strings.Split(s, " ") {
		n := utf8.RuneCountInString(word)
		switch {
		case i == 0:
		case column+1+n > width:
			t.WriteString("\n" + then)
			column = utf8.RuneCountInString(then)
		default:
			t.WriteString(" ")
			column++
		}
		t.WriteString(word)
		column += n
	}
	t.WriteString("\n")
}

// block writes lines as they are, to be pasted.
func (t *text) block(lines string) {
	for line := range strings.Lines(lines) {
		t.WriteString("      " + strings.TrimSuffix(line, "\n") + "\n")
	}
}

// timeText is a time as people read it, to the minute.
func timeText(t time.Time) string {
	if t.IsZero() {
		return "a time that is not known"
	}
	return t.UTC().Format("2006-01-02 15:04 UTC")
}

// listed names the first of some texts, and how many more there are.
func listed(all []string, shown, more int) string {
	more += max(0, len(all)-shown)
	all = all[:min(shown, len(all))]
	list := strings.Join(all, ", ")
	if more > 0 {
		list += fmt.Sprintf(", and %d more", more)
	}
	return list
}
