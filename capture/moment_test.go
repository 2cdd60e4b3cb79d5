package capture

import (
	"testing"
	"time"
)

// A moment is the same time again, to the microsecond and never earlier, whatever year a
// packet can be of.
func TestMoment(t *testing.T) {
	for _, test := range []struct{ at, want time.Time }{
		{time.Date(2026, 11, 27, 13, 0, 0, 123456000, time.UTC), time.Date(2026, 11, 27, 13, 0, 0, 123456000, time.UTC)},
		{time.Date(2026, 11, 27, 13, 0, 0, 123456001, time.UTC), time.Date(2026, 11, 27, 13, 0, 0, 123457000, time.UTC)},
		{time.Date(1969, 12, 31, 23, 59, 59, 999999999, time.UTC), time.Unix(0, 0)},
		{time.Unix(0, 0), time.Unix(0, 0)},
		{time.Time{}, time.Time{}},
		{time.Unix(pcapngMinSeconds, 1), time.Unix(pcapngMinSeconds, 1000)},
		{time.Unix(pcapngMaxSeconds, 999999999), time.Unix(pcapngMaxSeconds+1, 0)},
	} {
		got := momentOf(test.at).time()
		if !got.Equal(test.want) {
			t.Errorf("%s is %s", test.at, got)
		}
		if later := momentOf(test.at).add(idleWait).time(); !later.Equal(test.want.Add(idleWait)) {
			t.Errorf("%s after %s it is %s", idleWait, test.at, later)
		}
	}
	if momentOf(time.Unix(pcapngMinSeconds, 0)) >= 0 || momentOf(time.Unix(pcapngMaxSeconds, 0)) <= 0 {
		t.Error("they are not in order")
	}
}

// A flow that has nothing to do although it is due, as by a fault, is looked at once at
// a time, and not for ever.
func TestTickEnds(t *testing.T) {
	a := NewAnalyzer(nil, LiveLimits(), nil)
	f := &flow{analyzer: a, index: -1, settled: true, lastSeen: momentOf(time.Unix(1e9, 0))}
	a.due.schedule(f, f.nextDeadline())
	due := a.due[0].at
	for _, next := range []moment{due, due - 1} {
		now, _ := a.Due()
		a.due.again(f, next, now)
		if later, _ := a.Due(); !later.After(now) {
			t.Errorf("at %s it is due at %s", now, later)
		}
	}
	if a.due.again(f, due+1e6, time.Unix(0, 0)); a.due[0].at != due+1e6 {
		t.Error("what is due later is looked at sooner")
	}
}
