package capture

import (
	"testing"
	"time"
)

// A moment is the same time again, and of those beyond the nearest that there is.
func TestMoment(t *testing.T) {
	for _, test := range []struct{ at, want time.Time }{
		{time.Date(2026, 11, 27, 13, 0, 0, 123456789, time.UTC), time.Date(2026, 11, 27, 13, 0, 0, 123456789, time.UTC)},
		{time.Unix(0, 0), time.Unix(0, 0)},
		{time.Time{}, firstMoment},
		{time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), lastMoment},
	} {
		if got := momentOf(test.at).time(); !got.Equal(test.want) {
			t.Errorf("%s is %s", test.at, got)
		}
	}
	if momentOf(lastMoment.Add(-time.Second)) >= momentOf(lastMoment) || momentOf(time.Time{}) >= momentOf(firstMoment.Add(1)) {
		t.Error("they are not in order")
	}
	if got := momentOf(time.Unix(100, 0)).add(time.Minute); !got.Equal(time.Unix(160, 0)) {
		t.Errorf("a minute after 100 s it is %s", got)
	}
}
