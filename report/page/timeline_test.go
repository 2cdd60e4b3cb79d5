package page

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"imds-analyzer/report"
)

func at(hours float64) time.Time {
	return time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC).Add(time.Duration(hours * float64(time.Hour)))
}

func bucket(hours float64, v1, v2 uint64) report.Bucket {
	return report.Bucket{Start: at(hours), Calls: report.Calls{V1: v1, V2: v2}}
}

func TestNoPlot(t *testing.T) {
	for _, line := range []*report.Timeline{nil, {}, {BucketSeconds: 300}, {Buckets: []report.Bucket{bucket(0, 1, 0)}}, {Boots: []time.Time{at(1)}}} {
		if newPlot(line) != nil || newSpark(line) != nil {
			t.Errorf("%+v is drawn", line)
		}
	}
}

func TestPlot(t *testing.T) {
	p := newPlot(&report.Timeline{
		BucketSeconds: 3600,
		Buckets:       []report.Bucket{bucket(0, 1, 0), bucket(9, 112, 5)},
		Boots:         []time.Time{at(5)},
		Stops:         []time.Time{at(-10), at(10)},
	})
	if p.Bucket != "1 hour" || p.First != at(-10) || p.Last != at(10) {
		t.Errorf("a bar is %s; from %s to %s", p.Bucket, p.First, p.Last)
	}
	if len(p.Panels) != 2 || p.Panels[0].Class != "v1" || p.Panels[1].Class != "v2" {
		t.Fatalf("panels are %+v", p.Panels)
	}
	v1, v2 := p.Panels[0], p.Panels[1]
	want := []bar{{50, 5, 109, 3, at(0), 1}, {95, 5, 0, 112, at(9), 112}}
	if v1.Most != 112 || v1.Total != 113 || fmt.Sprint(v1.Bars) != fmt.Sprint(want) {
		t.Errorf("version 1 is %+v, want %v", v1, want)
	}
	if want := []bar{{95, 5, 0, 72, at(9), 5}}; fmt.Sprint(v2.Bars) != fmt.Sprint(want) {
		t.Errorf("version 2 is %v, want %v", v2.Bars, want)
	}
	if want := "[{boots boot [{75 2026-03-02 05:00:00 +0000 UTC}]} {stops stop [{0 2026-03-01 14:00:00 +0000 UTC} {100 2026-03-02 10:00:00 +0000 UTC}]}]"; fmt.Sprint(p.Lanes) != want {
		t.Errorf("lanes are %v, want %s", p.Lanes, want)
	}
	if len(v1.Boots) != 1 || v1.Boots[0].X != 75 {
		t.Errorf("boots are %v", v1.Boots)
	}
}

// One call is seen, and so is that there was none of version 1.
func TestPlotOfLittle(t *testing.T) {
	p := newPlot(&report.Timeline{BucketSeconds: 300, Buckets: []report.Bucket{bucket(0, 0, 1)}, Stops: []time.Time{at(700)}})
	if len(p.Panels) != 2 || len(p.Panels[0].Bars) != 0 || p.Panels[1].Bars[0].Width != leastWidth {
		t.Errorf("panels are %+v", p.Panels)
	}
}

// Without calls there is an empty plot with marks.
func TestPlotOfMarks(t *testing.T) {
	for _, tt := range []struct {
		boots []time.Time
		last  time.Time
		marks string
	}{
		{[]time.Time{at(0), at(12), at(48)}, at(48), "0 25 100"},
		{[]time.Time{at(0)}, at(1), "0"},
	} {
		line := &report.Timeline{BucketSeconds: 300, Boots: tt.boots, Untimed: 3}
		p := newPlot(line)
		if p.First != at(0) || p.Last != tt.last || p.Bucket != "" || len(p.Panels) != 1 || len(p.Panels[0].Bars) != 0 || len(p.Lanes) != 1 {
			t.Fatalf("it is %+v", p)
		}
		var marks []string
		for _, m := range p.Lanes[0].Marks {
			marks = append(marks, fmt.Sprint(m.X))
		}
		if got := strings.Join(marks, " "); got != tt.marks {
			t.Errorf("marks are at %s, want %s", got, tt.marks)
		}
		page := written(t, &report.Report{Timeline: line})
		if !strings.Contains(page, "There is no call whose time is known.") || strings.Contains(page, "As a table") || !strings.Contains(page, `aria-label="IMDSv1: 0 calls"`) {
			t.Errorf("the page is %s", page)
		}
	}
}

// A wrong clock leaves the calls their room, and its marks are counted.
func TestMarksTooFarAway(t *testing.T) {
	const day, year = 24, 365 * 24
	tests := map[string]struct {
		calls       float64 // hours from the first to the last
		boots       []time.Time
		first, last time.Time
		far         string
	}{
		"near":              {100 * day, []time.Time{at(-99 * day), at(199 * day)}, at(-99 * day), at(199 * day), "[]"},
		"far":               {100 * day, []time.Time{at(-56 * year), at(-101 * day), at(5), at(202 * day)}, at(0), at(100*day + 1), "[boots 3]"},
		"a month, at least": {1, []time.Time{at(-32 * day), at(-30 * day), at(31 * day), at(33 * day)}, at(-30 * day), at(31 * day), "[boots 2]"},
	}
	for name, tt := range tests {
		line := &report.Timeline{BucketSeconds: 3600, Buckets: []report.Bucket{bucket(0, 1, 0), bucket(tt.calls, 1, 0)}, Boots: tt.boots}
		p := newPlot(line)
		if p.First != tt.first || p.Last != tt.last || fmt.Sprint(p.Far) != tt.far {
			t.Errorf("%s: from %s to %s, and far are %v", name, p.First, p.Last, p.Far)
		}
		said := strings.Contains(written(t, &report.Report{Timeline: line}), "too far from the calls: "+strings.Trim(tt.far, "[]")+". ")
		if said != (len(p.Far) > 0) {
			t.Errorf("%s: that marks are not drawn is said: %v", name, said)
		}
	}
}

// A timeline has one of several marks that lie close together, so that their number
// says nothing.
func TestMarksHaveNoNumber(t *testing.T) {
	page := written(t, &report.Report{Timeline: &report.Timeline{BucketSeconds: 300, Boots: []time.Time{at(0), at(1)}}})
	if !strings.Contains(page, `<div class="label mark">boots</div>`) || !strings.Contains(page, `aria-label="when there were boots"`) {
		t.Errorf("the page is %s", page)
	}
}

func TestMarksAreBounded(t *testing.T) {
	var times []time.Time
	for i := range maxMarks + 5 {
		times = append(times, at(float64(i)))
	}
	l := newLane("boots", "boot", times)
	if len(l.Marks) != maxMarks || l.Marks[0].At != at(5) {
		t.Errorf("%d marks, the first at %s", len(l.Marks), l.Marks[0].At)
	}
}

func TestTicks(t *testing.T) {
	tests := map[string]struct {
		hours float64
		want  string
	}{
		"minutes": {0.5, "00:05 00:10 00:15 00:20 00:25"},
		"hours":   {7, "01:00 02:00 03:00 04:00 05:00 06:00"},
		"a day":   {26, "03:00 06:00 09:00 12:00 15:00 18:00 21:00 Mar 3"},
		"days":    {24 * 8, "Mar 3 Mar 4 Mar 5 Mar 6 Mar 7 Mar 8 Mar 9"},
		"years":   {24 * 365 * 10, ""},
	}
	for name, tt := range tests {
		p := plot{First: at(0), Last: at(tt.hours)}
		var labels []string
		for i, tick := range p.ticks() {
			labels = append(labels, tick.Label)
			if tick.Second != (i%2 == 1) || tick.X < 2 || tick.X > 98 {
				t.Errorf("%s: a tick is %+v", name, tick)
			}
		}
		if got := strings.Join(labels, " "); len(labels) > mostTicks || len(labels) < 3 || tt.want != "" && got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestSpan(t *testing.T) {
	for d, want := range map[time.Duration]string{
		5 * time.Minute: "5 minutes", 80 * time.Minute: "80 minutes", time.Hour: "1 hour", 48 * time.Hour: "2 days", time.Second: "1s",
	} {
		if got := span(d); got != want {
			t.Errorf("%s is %q, want %q", d, got, want)
		}
	}
}

func TestSpark(t *testing.T) {
	s := newSpark(&report.Timeline{
		BucketSeconds: 3600, Buckets: []report.Bucket{bucket(0, 1, 0), bucket(9, 2, 5)}, Boots: []time.Time{at(5)},
	})
	if s.V1 != "M0 24v-11h100v11zM900 24v-22h100v22z" || s.V2 != "M900 48v-22h100v22z" || s.Boots != "M500 0v48" {
		t.Errorf("it is %+v", s)
	}
}
