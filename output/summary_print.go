package output

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

// shownPrograms, shownPaths and shownOthers bound what the summary shows; what
// is more it counts.
const (
	shownPrograms = 20
	shownPaths    = 5
	shownOthers   = 3
)

// Print writes the summary for people: calls by version, the programs that
// made calls of version 1 or ones that might be, what could not be classified
// or attributed and why, and whether calls may be missing.
func (s *Summary) Print(w io.Writer, c CaptureStats) error {
	var b strings.Builder
	s.printVersions(&b)
	s.printPrograms(&b)
	s.printGaps(&b)
	c.print(&b)
	fmt.Fprintf(&b, "\n%s\n", c.verdict(s))
	if _, err := io.WriteString(w, b.String()); err != nil {
		return fmt.Errorf("cannot write the summary: %w", err)
	}
	return nil
}

func (s *Summary) printVersions(b *strings.Builder) {
	fmt.Fprintf(b, "%s to the metadata service\n", counted(s.Calls(), "call", "calls"))
	fmt.Fprintf(b, "  IMDSv1   %8d\n", s.v1)
	fmt.Fprintf(b, "  IMDSv2   %8d", s.v2)
	if s.tokenRequests > 0 {
		fmt.Fprintf(b, "  (%s)", counted(s.tokenRequests, "token request", "token requests"))
	}
	fmt.Fprintf(b, "\n  unknown  %8d\n", s.unknown)
	if s.overRate > 0 {
		fmt.Fprintf(b, "  %s told together in the log, with their number: too many of one caller (--max-entry-rate)\n",
			counted(s.overRate, "call is", "calls are"))
	}
	if s.beyond > 0 {
		fmt.Fprintf(b, "  the programs of %d of them may have no line of their own: their caller has more than %d\n", s.beyond, maxTold)
	}
	if s.notShown > 0 {
		fmt.Fprintf(b, "  %s not shown, for the same reason\n", counted(s.notShown, "call was", "calls were"))
	}
}

func (s *Summary) printPrograms(b *strings.Builder) {
	programs := s.sorted()
	if len(programs) == 0 {
		return
	}
	b.WriteString("\nPrograms with IMDSv1 or unknown calls\n")
	for _, p := range programs[:min(shownPrograms, len(programs))] {
		p.print(b)
	}
	rest := s.others
	for _, p := range programs[min(shownPrograms, len(programs)):] {
		rest.v1 += p.v1
		rest.unknown += p.unknown
	}
	if rest.v1+rest.unknown > 0 {
		fmt.Fprintf(b, "  other programs: %s\n", rest.calls())
	}
}

func (p *program) print(b *strings.Builder) {
	fmt.Fprintf(b, "  %s: %s\n", Sanitize(p.title()), p.calls())
	line := func(label, text string) {
		if text != "" {
			fmt.Fprintf(b, "    %-11s%s\n", label, Sanitize(text))
		}
	}
	for i, path := range p.paths.texts(shownPaths, true) {
		line([]string{"path", ""}[min(i, 1)], path)
	}
	line("answer", p.statuses.list(maxOfEach, true))
	for i, reason := range p.why.texts(maxOfEach, true) {
		line([]string{"why", ""}[min(i, 1)], reason)
	}
	line("pid", p.pids.list(shownOthers, false))
	line("command", p.commandLine)
	line("package", p.packages)
	line("pod", p.pod)
	line("task", p.task)
	line("image", p.image)
	line("user", p.users.list(shownOthers, false))
	if p.key.executable != "" {
		line("User-Agent", p.userAgents.list(shownOthers, false))
	}
	line("client", p.clients.list(shownOthers, false))
}

// calls is "3 v1" or "3 v1, 1 unknown".
func (p *program) calls() string {
	var parts []string
	if p.v1 > 0 {
		parts = append(parts, fmt.Sprintf("%d v1", p.v1))
	}
	if p.unknown > 0 {
		parts = append(parts, fmt.Sprintf("%d unknown", p.unknown))
	}
	return strings.Join(parts, ", ")
}

// list names the most frequent texts, and how many more there are.
func (t *tally) list(shown int, withCounts bool) string {
	return strings.Join(t.texts(shown, withCounts), ", ")
}

func (t *tally) texts(shown int, withCounts bool) []string {
	var parts []string
	all := t.sorted()
	for _, item := range all[:min(shown, len(all))] {
		if withCounts {
			item.text += fmt.Sprintf(" (%d)", item.count)
		}
		parts = append(parts, item.text)
	}
	switch more := len(all) - len(parts); {
	case t.others > 0:
		parts = append(parts, "and more")
	case more > 0:
		parts = append(parts, fmt.Sprintf("and %d more", more))
	}
	return parts
}

// printGaps says what is not known of the calls.
func (s *Summary) printGaps(b *strings.Builder) {
	var unclassified, unattributed, uncertain []string
	for _, reason := range slices.Sorted(maps.Keys(s.incomplete)) {
		unclassified = append(unclassified, fmt.Sprintf("%s (%d)", reasonText(reason), s.incomplete[reason]))
	}
	for _, status := range slices.Sorted(maps.Keys(s.attribution)) {
		text := fmt.Sprintf("%s (%d)", statusText(status), s.attribution[status])
		switch status {
		case attribution.Resolved:
		case attribution.Shared, attribution.Inferred:
			uncertain = append(uncertain, text)
		default:
			unattributed = append(unattributed, text)
		}
	}
	var unenriched []string
	for _, reason := range slices.Sorted(maps.Keys(s.notEnriched)) {
		unenriched = append(unenriched, fmt.Sprintf("%s (%d)", reason, s.notEnriched[reason]))
	}
	b.WriteString("\n")
	gap(b, "Not classified", unclassified)
	gap(b, "Process not known", unattributed)
	gap(b, "Process uncertain", uncertain)
	gap(b, "Not enriched", unenriched)
	gap(b, "Not captured", s.notCaptured())
}

func gap(b *strings.Builder, title string, parts []string) {
	if len(parts) > 0 {
		fmt.Fprintf(b, "%s: %s\n", title, strings.Join(parts, ", "))
	}
}

// reasonText says why a call could not be classified.
func reasonText(reason string) string {
	switch imds.ParseIncomplete(reason) {
	case imds.Snaplen:
		return "packets cut by the capture's snaplen"
	case imds.LostSegment:
		return "packets missing from the capture"
	case imds.CaptureStart:
		return "capture started during the request"
	case imds.CaptureEnd:
		return "capture ended during the request"
	case imds.HeadersTooLarge:
		return "header too large to keep"
	case imds.ConnectionClosed:
		return "connection closed during the request"
	}
	return Sanitize(reason)
}

// statusText says why a call's process is not known, or not known for certain.
func statusText(status attribution.Status) string {
	switch status {
	case attribution.Shared:
		return "several processes hold the connection"
	case attribution.Inferred:
		return "inferred, may be wrong"
	case attribution.NotFound:
		return "looked for and not found"
	case attribution.Unavailable:
		return "no way of looking works here"
	case attribution.Offline:
		return "a capture file does not tell"
	}
	return Sanitize(string(status))
}

func (c *CaptureStats) print(b *strings.Builder) {
	fmt.Fprintf(b, "Packets: %d received, %d of them to or from the metadata service", c.PacketsReceived, c.Segments)
	if c.Live {
		fmt.Fprintf(b, ", %d dropped by the kernel, %d by interfaces", c.DroppedByKernel, c.DroppedByInterface)
	} else if c.DroppedByKernel > 0 {
		fmt.Fprintf(b, ", %d dropped when they were captured", c.DroppedByKernel)
	}
	b.WriteString("\n")
	var rest []string
	note := func(n uint64, one, many string) {
		if n > 0 {
			rest = append(rest, counted(n, one, many))
		}
	}
	note(c.NotRead, "packet by its link type", "packets by their link types")
	note(c.NotHTTP, "connection with something other than HTTP/1", "connections with something other than HTTP/1")
	note(c.HalfOpenDropped, "connection that was never completed was forgotten for lack of room", "connections that were never completed were forgotten for lack of room")
	note(c.SegmentsIgnored, "segment that its receiver would not take", "segments that their receivers would not take")
	gap(b, "Not read", rest)
	gap(b, "Cut by the snaplen", c.cut())
	if c.EntriesNotWritten > 0 {
		gap(b, "Not written", []string{counted(c.EntriesNotWritten, "entry of the log", "entries of the log")})
	}
	if c.EventsLost > 0 {
		gap(b, "Not followed", []string{counted(c.EventsLost, "event of the kernel on processes", "events of the kernel on processes")})
	}
}
