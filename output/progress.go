package output

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Progress is how far the reading of capture files has come.
type Progress struct {
	// Read is the number of bytes that were read, of Total; that is 0 where it is
	// not known how many there are.
	Read, Total int64
	// Elapsed is the time that this took.
	Elapsed time.Duration
	// Calls is the number of calls that were found, V1 that of version 1.
	Calls, V1 uint64
}

// progressPart is a part of the line. Where there is no room for all, the least
// important goes first: that with the highest rank.
type progressPart struct {
	text string
	rank int
}

// maxBar and minBar are between what the bar's width is, in columns.
const maxBar, minBar = 40, 10

// Line returns the progress as one line of at most that many columns.
func (p Progress) Line(width int) string {
	parts := p.parts()
	for len(parts) > 1 && columns(joinParts(parts)) > width {
		least := slices.MaxFunc(parts, func(a, b progressPart) int { return a.rank - b.rank })
		parts = slices.DeleteFunc(parts, func(part progressPart) bool { return part == least })
	}
	line := joinParts(parts)
	if bar := p.bar(min(maxBar, width-columns(line)-len(partGap))); bar != "" {
		line = bar + partGap + line
	}
	return cutEnd(line, width)
}

const partGap = "  "

func joinParts(parts []progressPart) string {
	var texts []string
	for _, part := range parts {
		texts = append(texts, part.text)
	}
	return strings.Join(texts, partGap)
}

func (p Progress) parts() []progressPart {
	calls := progressPart{p.calls(), 0}
	rate := progressPart{bytesText(p.perSecond()) + "/s", 4}
	if !p.ends() {
		return []progressPart{{bytesText(float64(p.Read)) + " read", 1}, rate, calls}
	}
	parts := []progressPart{
		{fmt.Sprintf("%d %%", p.percent()), 1},
		{bytesText(float64(p.Read)) + " of " + bytesText(float64(p.Total)), 3},
		rate, calls,
	}
	if left, known := p.left(); known {
		parts = append(parts, progressPart{clockText(left) + " left", 2})
	}
	return parts
}

// ends reports whether it is known where the input ends. A file that has grown
// meanwhile does so somewhere else.
func (p Progress) ends() bool { return p.Total > 0 && p.Read <= p.Total }

func (p Progress) percent() int { return int(float64(p.Read) / float64(p.Total) * 100) }

func (p Progress) perSecond() float64 {
	if p.Elapsed <= 0 {
		return 0
	}
	return float64(p.Read) / p.Elapsed.Seconds()
}

// maxLeft is the longest time left that is worth telling.
const maxLeft = 100 * time.Hour

// left is the time that the rest takes if it goes on as before.
func (p Progress) left() (time.Duration, bool) {
	left := p.Elapsed.Seconds() * float64(p.Total-p.Read) / float64(p.Read)
	if p.Read <= 0 || left >= maxLeft.Seconds() {
		return 0, false
	}
	return time.Duration(left * float64(time.Second)), true
}

func (p Progress) calls() string {
	text := grouped(p.Calls) + " calls"
	if p.Calls == 1 {
		text = "1 call"
	}
	if p.V1 > 0 {
		text += ", " + grouped(p.V1) + " v1"
	}
	return text
}

// bar draws what was read in so many columns, if that are enough.
func (p Progress) bar(width int) string {
	if !p.ends() || width < minBar {
		return ""
	}
	inside := width - len("[]")
	done := int(float64(p.Read) / float64(p.Total) * float64(inside))
	return "[" + strings.Repeat("=", done) + strings.Repeat(" ", inside-done) + "]"
}

// bytesText writes a number of bytes with two or three digits: 8.1 GiB, 812 MiB.
func bytesText(value float64) string {
	unit, units := 0, [...]string{"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"}
	for value >= 1000 && unit < len(units)-1 {
		value, unit = value/1024, unit+1
	}
	if unit > 0 && value < 9.95 {
		return fmt.Sprintf("%.1f %s", value, units[unit])
	}
	return fmt.Sprintf("%.0f %s", value, units[unit])
}

// clockText writes a time as 0:05 or 1:02:05, rounded up: it is over at 0:00.
func clockText(d time.Duration) string {
	seconds := int((d + time.Second - 1) / time.Second)
	if seconds < 3600 {
		return fmt.Sprintf("%d:%02d", seconds/60, seconds%60)
	}
	return fmt.Sprintf("%d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

// grouped writes a number with a comma behind each thousand.
func grouped(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
