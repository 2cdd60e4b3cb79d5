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

// wallOffset is how much the wall clock is ahead. It is measured between two
// readings of the other, as close to each other as a few attempts get.
func wallOffset() (offset int64) {
	const attempts, close = 5, 1000 // ns
	shortest := int64(math.MaxInt64)
	for i := 0; i < attempts && shortest > close; i++ {
		before := monotonic()
		wall := clockNow(unix.CLOCK_REALTIME)
		after := monotonic()
		if after-before < shortest {
			shortest, offset = after-before, wall-before-(after-before)/2
		}
	}
	return offset
}

// startOf is when a process started that was forked then.
func (p proc) startOf(forked int64) time.Time { return p.boot().Add(sinceBoot(forked)) }

// sinceBoot converts the time of an event to those of /proc, and to their steps:
// they count from boot, and go on while the machine sleeps.
func sinceBoot(at int64) time.Duration {
	asleep := clockNow(unix.CLOCK_BOOTTIME) - monotonic()
	return time.Duration(at + asleep).Truncate(tick)
}

// startedOtherThan reports whether the reading is of a process that was not
// forked then, 0 if that is not known.
func (r *reading) startedOtherThan(forked int64) bool {
	return forked != 0 && r.known && (r.start-sinceBoot(forked)).Abs() > tick
}
