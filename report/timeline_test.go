package report

import (
	"math/rand/v2"
	"testing"
	"time"
)

// callsAt are calls that many seconds after the day began.
func callsAt(seconds ...int) (lines []any) {
	for _, s := range seconds {
		lines = append(lines, call(when(day.Add(time.Duration(s)*time.Second))))
	}
	return lines
}

// starts are the beginnings of buckets in seconds since the day began, each with its
// calls of version 1.
func starts(l *Timeline) (all [][2]int64) {
	if l == nil {
		return nil
	}
	for _, b := range l.Buckets {
		all = append(all, [2]int64{b.Start.Unix() - day.Unix(), int64(b.V1)})
	}
	return all
}

// Buckets are no wider than it takes for all calls to lie within 128 of them, and
// begin at multiples of their width since 1970.
func TestTimelineBuckets(t *testing.T) {
	const minutes = 60
	// The day begins at a multiple of five minutes doubled six times.
	tests := []struct {
		name    string
		lines   []any
		width   int64 // minutes
		buckets string
	}{
		{"none", nil, 0, "null"},
		{"one", callsAt(61), 5, "[[0,1]]"},
		{"two in a bucket", callsAt(0, 299), 5, "[[0,2]]"},
		{"two buckets", callsAt(299, 300), 5, "[[0,1],[300,1]]"},
		{"as many as there is room for", callsAt(0, 127*300), 5, "[[0,1],[38100,1]]"},
		{"one more", callsAt(0, 300, 128*300), 10, "[[0,2],[38400,1]]"},
		{"256 from an odd one on", callsAt(300, 256*300), 20, "[[0,1],[76800,1]]"},
		{"at the edge", callsAt(300, 255*300), 10, "[[0,1],[76200,1]]"},
		{"an early one comes last", callsAt(128*300, 127*300, 0), 10, "[[0,1],[37800,1],[38400,1]]"},
		{"no time known", []any{call(when(time.Time{}))}, 0, "null"},
		{"all of 1970 on", []any{call(when(time.Unix(300, 0))), call(when(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)))},
			5 << maxDoublings, "[[-1772409600,1],[249885830400,1]]"},
		{"after the last year", []any{call(when(time.Date(9999, 12, 31, 23, 59, 59, 0, time.FixedZone("", -3600))))}, 0, "null"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := take(New(week), tt.lines...).Report()
			if got := jsonOf(t, starts(r.Timeline)); got != tt.buckets {
				t.Errorf("the buckets are %s, want %s", got, tt.buckets)
			}
			if r.Timeline != nil && r.Timeline.BucketSeconds != tt.width*minutes {
				t.Errorf("they have %d s, want %d min", r.Timeline.BucketSeconds, tt.width)
			}
			for _, h := range r.Hosts {
				if got, want := jsonOf(t, h.Timeline), jsonOf(t, r.Timeline); got != want {
					t.Errorf("of the only host it is %s, and of all %s", got, want)
				}
			}
			reported(t, r)
		})
	}
}

// Each call is in the bucket of its version, and those without a time are counted.
func TestTimelineCounts(t *testing.T) {
	l := take(New(week), call(), call(v2), call(tokenRequest), call(unknownCall), call(v2, when(time.Time{}))).Report().Timeline
	want := `{"bucket_seconds":300,"buckets":[{"start":"2026-03-03T00:00:00Z","v1":1,"v2":2,"token_requests":1,"unknown":1}],"boots":[],"starts":[],"stops":[],"untimed":1}`
	if got := jsonOf(t, l); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// The timeline of all hosts is what all calls would be on one host, in whichever order
// they come; widths may differ by host.
func TestTimelineOfAllHosts(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		one, apart := New(week), New(week)
		for range 1 + random.IntN(60) {
			at := when(day.Add(time.Duration(random.Int64N(int64(time.Hour) << random.IntN(14)))))
			one.Call(call(at))
			apart.Call(call(at, from([]string{"a", "b", "c"}[random.IntN(3)])))
		}
		if got, want := jsonOf(t, apart.Report().Timeline), jsonOf(t, one.Report().Timeline); got != want {
			t.Fatalf("of three hosts it is\n%s\nof one\n%s", got, want)
		}
	}
}

// Boots, starts and stops are marks.
func TestTimelineMarks(t *testing.T) {
	one := capture{host: "web-1", boot: "b1", started: at(1), uptime: 20}
	two := capture{host: "web-1", boot: "b2", started: at(4), uptime: 15}
	other := capture{host: "db-1", boot: "c1", started: at(2), uptime: 400}
	read := at(100)
	tests := []struct {
		name                string
		lines               []any
		boots, starts, stop []time.Time
	}{
		{"no captures", []any{call()}, nil, nil, nil},
		{"runs", []any{call(when(at(1))), one.start(), one.runs(at(2))}, []time.Time{at(1).Add(-20 * time.Second)}, []time.Time{at(1)}, nil},
		{"rebooted, of two hosts", []any{call(when(at(2))), two.start(), one.start(), one.stop(at(3)), other.start(), other.stop(at(5))},
			[]time.Time{at(1).Add(-20 * time.Second), at(4).Add(-15 * time.Second)}, []time.Time{at(1), at(2), at(4)}, []time.Time{at(3), at(5)}},
		{"files have the times of their packets", []any{call(when(at(2))), offline(read, at(1), at(3))}, nil, []time.Time{at(1)}, []time.Time{at(3)}},
		{"no calls", []any{one.start(), one.stop(at(3))}, []time.Time{at(1).Add(-20 * time.Second)}, []time.Time{at(1)}, []time.Time{at(3)}},
		{"files without packets", []any{call(when(at(2))), offline(read, time.Time{}, time.Time{})}, nil, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := take(New(week), tt.lines...).Report().Timeline
			for _, kind := range []struct {
				name      string
				got, want []time.Time
			}{{"boots", l.Boots, tt.boots}, {"starts", l.Starts, tt.starts}, {"stops", l.Stops, tt.stop}} {
				if got, want := jsonOf(t, kind.got), jsonOf(t, append([]time.Time{}, kind.want...)); got != want {
					t.Errorf("%s at %s, want %s", kind.name, got, want)
				}
			}
		})
	}
}

// A host that makes no calls has marks, and no buckets.
func TestTimelineWithoutCalls(t *testing.T) {
	one := capture{host: "web-1", boot: "b1", started: at(1), uptime: 20}
	r := take(New(week), one.start(), one.stop(at(3))).Report()
	want := `{"bucket_seconds":300,"buckets":[],"boots":["2026-03-02T23:59:40Z"],"starts":["2026-03-03T00:00:00Z"],"stops":["2026-03-05T00:00:00Z"]}`
	if all, host := jsonOf(t, r.Timeline), jsonOf(t, r.Hosts[0].Timeline); all != want || host != want {
		t.Errorf("got  %s\nand  %s\nwant %s", all, host, want)
	}
}

// Of marks in one bucket the first is kept, and of all the latest.
func TestTimelineMarksAreBounded(t *testing.T) {
	var times []time.Time
	for i := range maxMarks + 10 {
		from := day.Add(time.Duration(i) * periodLength)
		times = append([]time.Time{from.Add(time.Minute), from}, times...)
	}
	got := marked(times, periodLength)
	if len(got) != maxMarks || !got[0].Equal(day.Add(10*periodLength)) || !got[1].Equal(got[0].Add(periodLength)) {
		t.Errorf("%d marks, the first at %v and %v", len(got), got[0], got[1])
	}
}

// A state file of an earlier version has no timeline: its calls are in none, and
// counted. What no calls can have made is left out.
func TestTimelineOfState(t *testing.T) {
	tests := []struct {
		name, timeline, want string
	}{
		{"earlier version", ``, `null`},
		{"buckets in no order", `,"timeline":{"doublings":1,"buckets":[{"slot":3,"v1":1},{"slot":2,"v2":2},{"slot":3,"v1":1}]}`,
			`{"bucket_seconds":600,"buckets":[{"start":"1970-01-01T00:20:00Z","v1":0,"v2":2,"token_requests":0,"unknown":0},` +
				`{"start":"1970-01-01T00:30:00Z","v1":2,"v2":0,"token_requests":0,"unknown":0}],"boots":[],"starts":[],"stops":[],"untimed":5}`},
		{"too far apart", `,"timeline":{"buckets":[{"slot":1,"v1":4},{"slot":129,"v1":5}]}`,
			`{"bucket_seconds":600,"buckets":[{"start":"1970-01-01T00:00:00Z","v1":4,"v2":0,"token_requests":0,"unknown":0},` +
				`{"start":"1970-01-01T10:40:00Z","v1":5,"v2":0,"token_requests":0,"unknown":0}],"boots":[],"starts":[],"stops":[]}`},
		{"after the last year", `,"timeline":{"doublings":22,"buckets":[{"slot":4294967295,"v1":4}]}`, `null`},
		{"wider than all time", `,"timeline":{"doublings":255,"buckets":[{"slot":1,"v1":4}]}`, `null`},
		{"no calls", `,"timeline":{"doublings":4,"buckets":[{"slot":1}]}`, `null`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := read(t, `{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"a","calls":{"v1":9}`+tt.timeline+`}]}`)
			b := New(week)
			if err := b.State(s); err != nil {
				t.Fatal(err)
			}
			if got := jsonOf(t, b.Report().Timeline); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// A period of a state file that RFC 3339 has no time for is none.
func TestPeriodAfterTheLastYear(t *testing.T) {
	s := read(t, `{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"a","periods":{"latest":[{"slot":4294967295,"succeeded":3}]}}]}`)
	b := New(week)
	if err := b.State(s); err != nil {
		t.Fatal(err)
	}
	r := b.Report()
	if n := r.Hosts[0].Service; n.NoToken != 3 || len(n.Periods) != 0 {
		t.Errorf("the figures are %+v", n)
	}
	reported(t, r)
}
