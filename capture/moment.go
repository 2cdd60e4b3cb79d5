package capture

import (
	"math"
	"time"
)

// moment is a time of the capture's clock, in a third of the room that a time.Time takes,
// for what each connection has several of: nanoseconds since 1970 began, from 1677 to
// 2262. A time beyond is the first or the last of these, so that it is long over, or all
// waiting is. Times that are told are none of these.
type moment int64

var (
	firstMoment = time.Unix(0, math.MinInt64)
	lastMoment  = time.Unix(0, math.MaxInt64)
)

func momentOf(t time.Time) moment {
	switch {
	case t.Before(firstMoment):
		return math.MinInt64
	case t.After(lastMoment):
		return math.MaxInt64
	}
	return moment(t.UnixNano())
}

func (m moment) time() time.Time { return time.Unix(0, int64(m)) }

// add is the time so much later.
func (m moment) add(d time.Duration) time.Time { return m.time().Add(d) }
