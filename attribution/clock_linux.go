package attribution

import (
	"math"
	"time"

	"golang.org/x/sys/unix"
)

func clockNow(clock int32) int64 {
	var t unix.Timespec
	if err := unix.ClockGettime(clock, &t); err != nil {
		return 0 // cannot be: these clocks exist since Linux 2.6
	}
	return t.Nano()
}

// monotonic is the time on the clock of the kernel's events.
func monotonic() int64 { return clockNow(unix.CLOCK_MONOTONIC) }

// toMonotonic converts a time that is given by the wall clock. Packets are
// recent when they are asked for; if the wall clock was set since, what comes
// out is a time at which no handshake was under way, and nothing is found.
func toMonotonic(at time.Time) int64 { return at.UnixNano() - wallOffset() }

// toWall is the reverse of toMonotonic.
func toWall(at int64) time.Time { return time.Unix(0, at+wallOffset()) }

// wallOffset is how much the wall clock is ahead.
func wallOffset() int64 { return ahead(unix.CLOCK_REALTIME, unix.CLOCK_MONOTONIC) }

// slept is how long the machine has slept since its start: one of the clocks
// goes on meanwhile (clock_gettime(2)).
func slept() int64 { return ahead(unix.CLOCK_BOOTTIME, unix.CLOCK_MONOTONIC) }

// ahead is how much one clock is ahead of another.
func ahead(clock, of int32) int64 {
	return aheadBy(func() int64 { return clockNow(clock) }, func() int64 { return clockNow(of) })
}

// aheadBy reads the one clock between two readings of the other, as close to each other
// as a few attempts get: where all processors are busy, tens of milliseconds can pass
// from one reading to the next.
func aheadBy(clock, of func() int64) (ahead int64) {
	const attempts, close = 5, 1000 // ns
	shortest := int64(math.MaxInt64)
	for i := 0; i < attempts && shortest > close; i++ {
		before := of()
		read := clock()
		took := of() - before
		if took < shortest {
			shortest, ahead = took, read-before-took/2
		}
	}
	return ahead
}

// startOf is when a process started that was forked then.
func (p proc) startOf(forked int64) time.Time { return p.boot().Add(sinceBoot(forked)) }

// sinceBoot converts the time of an event to those of /proc, and to their steps:
// they count from boot, and go on while the machine sleeps.
func sinceBoot(at int64) time.Duration {
	return time.Duration(at + slept()).Truncate(tick)
}

// startedOtherThan reports whether the reading is of a process that was not
// forked then, 0 if that is not known.
func (r *reading) startedOtherThan(forked int64) bool {
	return forked != 0 && r.known && (r.start-sinceBoot(forked)).Abs() > tick
}
