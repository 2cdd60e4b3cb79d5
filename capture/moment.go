package capture

import "time"

// moment is a time of the capture's clock, in a third of the room that a time.Time takes,
// for what each connection has several of: microseconds since 1970 began, rounded up, so
// that nothing is looked at before it is due. It holds the years 1 to 9999, which are all
// that packets can be of, hundreds of times over, and any time that waits for something
// in them. Times that are told are none of these.
type moment int64

func momentOf(t time.Time) moment {
	m := moment(t.UnixMicro())
	if t.Nanosecond()%1000 > 0 {
		m++
	}
	return m
}

func (m moment) time() time.Time { return time.UnixMicro(int64(m)) }

// add is the moment so much later, to the microsecond.
func (m moment) add(d time.Duration) moment { return m + moment(d.Microseconds()) }

// isDue reports whether the moment has come by now.
func (m moment) isDue(now time.Time) bool { return int64(m) <= now.UnixMicro() }
