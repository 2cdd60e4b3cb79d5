package capture

import (
	"fmt"
	"math/bits"
	"time"
)

// pcapngClock tells how an interface counts time.
type pcapngClock struct {
	perSecond uint64 // units in a second
	offset    int64  // seconds to add
}

// pcapngDefaultClock counts microseconds, as is agreed if nothing is said.
func pcapngDefaultClock() pcapngClock { return pcapngClock{perSecond: 1e6} }

// setResolution takes in option if_tsresol: its low seven bits are the
// negative exponent to the base of 2 if the top bit is set, else of 10.
// Units of which 64 bits do not hold a second are refused.
func (c *pcapngClock) setResolution(resolution byte) error {
	exponent := resolution & 0x7f
	switch {
	case resolution&0x80 != 0 && exponent < 64: // 2^63 < 2^64
		c.perSecond = 1 << exponent
		return nil
	case resolution&0x80 == 0 && exponent < 20: // 10^19 < 2^64
		c.perSecond = 1
		for range exponent {
			c.perSecond *= 10
		}
		return nil
	}
	return fmt.Errorf("%w: an interface has the time resolution 0x%02x", ErrDamaged, resolution)
}

// The times that can be written in a log: the years 1 to 9999.
const (
	pcapngMinSeconds = -62135596800 // 0001-01-01T00:00:00Z
	pcapngMaxSeconds = 253402300799 // 9999-12-31T23:59:59Z
)

// time returns the time of a count of units since 1970, cut to nanoseconds,
// and whether it is in a year that can be written.
func (c pcapngClock) time(units uint64) (time.Time, bool) {
	seconds, rest := units/c.perSecond, units%c.perSecond
	if seconds > pcapngMaxSeconds {
		return time.Time{}, false
	}
	s := int64(seconds)
	if c.offset > pcapngMaxSeconds-s || c.offset < pcapngMinSeconds-s {
		return time.Time{}, false
	}
	high, low := bits.Mul64(rest, 1e9)
	nanoseconds, _ := bits.Div64(high, low, c.perSecond) // < 1e9, as rest < perSecond
	return time.Unix(s+c.offset, int64(nanoseconds)).UTC(), true
}
