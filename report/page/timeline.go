package page

import (
	"fmt"
	"math"
	"slices"
	"time"

	"imds-analyzer/report"
)

// plot is the timeline, to be drawn. Across, all is in percent of the width, so that
// letters and marks keep their shape on narrow screens; down it is in pixels.
type plot struct {
	First, Last time.Time
	Bucket      string // how much time a bar is; empty if there is none
	Panels      []panel
	Lanes       []lane
	Ticks       []tick
	Buckets     []report.Bucket
	Untimed     uint64
	Far         []string // how many marks of each kind are not drawn
}

// panel are the calls of one version, on a scale of their own: few calls of version 1
// would not be seen beside many of version 2.
type panel struct {
	Name, Class string
	Height      int
	Most        uint64 // in a bar
	Total       uint64
	Bars        []bar
	Boots       []mark // are shown across
}

type bar struct {
	X, Width  float64 // percent
	Y, Height float64 // pixels
	Start     time.Time
	Calls     uint64
}

// lane are marks of one kind. How many of these there were in all is not known: of those
// that lie close together a timeline has one.
type lane struct {
	Name, Class string
	Marks       []mark
}

type mark struct {
	X  float64 // percent
	At time.Time
}

type tick struct {
	X     float64 // percent
	Label string
	// Second is every other one: there is no room for it on a narrow screen.
	Second bool
}

// maxMarks bounds the marks of a kind, of which the latest are shown.
const maxMarks = 128

// newPlot returns nil if there is nothing to be drawn.
func newPlot(t *report.Timeline) *plot {
	if t == nil || t.BucketSeconds <= 0 || len(t.Buckets)+len(t.Boots)+len(t.Starts)+len(t.Stops) == 0 {
		return nil
	}
	width := time.Duration(t.BucketSeconds) * time.Second
	p := &plot{Buckets: t.Buckets, Untimed: t.Untimed}
	if n := len(t.Buckets); n > 0 {
		p.Bucket, p.First, p.Last = span(width), t.Buckets[0].Start, t.Buckets[n-1].Start.Add(width)
	}
	kinds := []lane{newLane("boots", "boot", t.Boots), newLane("starts", "start", t.Starts), newLane("stops", "stop", t.Stops)}
	p.stretch(kinds)
	for _, l := range kinds {
		if p.place(l.Marks); len(l.Marks) > 0 {
			p.Lanes = append(p.Lanes, l)
		}
	}
	boots := kinds[0].Marks
	p.addPanel("IMDSv1", "v1", 112, width, boots, func(c *report.Bucket) uint64 { return c.V1 })
	p.addPanel("unknown", "unknown", 40, width, boots, func(c *report.Bucket) uint64 { return c.Unknown })
	p.addPanel("IMDSv2", "v2", 72, width, boots, func(c *report.Bucket) uint64 { return c.V2 })
	p.Ticks = p.ticks()
	return p
}

// newLane takes the latest of some times, which are in order.
func newLane(name, class string, times []time.Time) lane {
	l := lane{Name: name, Class: class}
	for _, at := range times[max(0, len(times)-maxMarks):] {
		l.Marks = append(l.Marks, mark{At: at})
	}
	return l
}

// leastReach is how far from the calls marks are drawn in any case: a host that makes
// few calls may be observed for weeks before the first.
const leastReach = 31 * 24 * time.Hour

// stretch has the axis reach to the marks. Where there are calls it goes no further
// before and after them than they are apart: one host with a wrong clock would leave
// no room for them. Marks beyond are taken out, and counted.
func (p *plot) stretch(lanes []lane) {
	reach := max(leastReach, p.Last.Sub(p.First))
	from, to := p.First.Add(-reach), p.Last.Add(reach)
	for i := range lanes {
		l := &lanes[i]
		all := len(l.Marks)
		if len(p.Buckets) > 0 {
			l.Marks = slices.DeleteFunc(l.Marks, func(m mark) bool { return m.At.Before(from) || m.At.After(to) })
		}
		if far := all - len(l.Marks); far > 0 {
			p.Far = append(p.Far, fmt.Sprintf("%s %d", l.Name, far))
		}
		for _, m := range l.Marks {
			p.include(m.At)
		}
	}
	if !p.Last.After(p.First) { // a single mark
		p.Last = p.First.Add(time.Hour)
	}
}

func (p *plot) include(at time.Time) {
	if p.First.IsZero() || at.Before(p.First) {
		p.First = at
	}
	if at.After(p.Last) {
		p.Last = at
	}
}

// percent is rounded to hundredths, which is finer than a screen.
func percent(part, all float64) float64 {
	if all == 0 {
		return 0
	}
	return math.Round(part/all*1e4) / 100
}

func (p *plot) x(at time.Time) float64 {
	return percent(at.Sub(p.First).Seconds(), p.Last.Sub(p.First).Seconds())
}

func (p *plot) place(marks []mark) {
	for i := range marks {
		marks[i].X = p.x(marks[i].At)
	}
}

// addPanel draws the calls of a version. Version 1 is always shown, others if there are
// any.
func (p *plot) addPanel(name, class string, height int, width time.Duration, boots []mark, calls func(*report.Bucket) uint64) {
	n := panel{Name: name, Class: class, Height: height, Boots: boots}
	for i := range p.Buckets {
		n.Total = report.Sum(n.Total, calls(&p.Buckets[i]))
		n.Most = max(n.Most, calls(&p.Buckets[i]))
	}
	for i := range p.Buckets {
		if b := &p.Buckets[i]; calls(b) > 0 {
			n.Bars = append(n.Bars, p.bar(b.Start, width, calls(b), &n))
		}
	}
	if n.Total > 0 || class == "v1" {
		p.Panels = append(p.Panels, n)
	}
}

// The least that a bar measures, so that one call is seen.
const (
	leastHeight = 3   // pixels
	leastWidth  = 0.3 // percent
)

func (p *plot) bar(start time.Time, width time.Duration, calls uint64, of *panel) bar {
	height := math.Round(max(leastHeight, float64(calls)/float64(of.Most)*float64(of.Height)))
	across := max(leastWidth, percent(width.Seconds(), p.Last.Sub(p.First).Seconds()))
	return bar{p.x(start), across, float64(of.Height) - height, height, start, calls}
}

// mostTicks is how many there is room for on a wide screen.
const mostTicks = 8

// ticks are at round times, in UTC.
func (p *plot) ticks() (ticks []tick) {
	step := p.tickStep()
	for at := p.First.Truncate(step); !at.After(p.Last); at = at.Add(step) {
		if x := p.x(at); x >= 2 && x <= 98 { // what is nearer to an edge would be cut
			ticks = append(ticks, tick{x, tickLabel(at, step), len(ticks)%2 == 1})
		}
	}
	return ticks
}

// tickStep is the least with which there are not too many.
func (p *plot) tickStep() time.Duration {
	const day = 24 * time.Hour
	long := p.Last.Sub(p.First)
	for _, step := range []time.Duration{
		time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour,
		day, 2 * day, 7 * day, 14 * day, 28 * day, 91 * day,
	} {
		if long/step <= mostTicks {
			return step
		}
	}
	return (long/mostTicks/day + 1) * day
}

func tickLabel(at time.Time, step time.Duration) string {
	at = at.UTC()
	switch {
	case step >= 91*24*time.Hour:
		return at.Format("Jan 2006")
	case step >= 24*time.Hour || at.Equal(at.Truncate(24*time.Hour)):
		return at.Format("Jan 2")
	}
	return at.Format("15:04")
}

// span is a time in the greatest unit in which it is a whole number.
func span(d time.Duration) string {
	for _, unit := range []struct {
		length time.Duration
		name   string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "minute"}} {
		switch n := d / unit.length; {
		case d%unit.length != 0:
		case n == 1:
			return "1 " + unit.name
		default:
			return fmt.Sprintf("%d %ss", n, unit.name)
		}
	}
	return d.String()
}
