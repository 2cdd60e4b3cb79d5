package attribution

import (
	"testing"
	"time"
)

// Who reads two clocks can have no processor in between, for as long as others run.
func TestClocksReadWithABreak(t *testing.T) {
	const ahead, reading, pause = 5 * time.Second, 200 * time.Nanosecond, 20 * time.Millisecond
	for breakAfter := range 6 {
		var now time.Duration
		readings := 0
		read := func() int64 {
			at := now
			if now += reading; readings == breakAfter {
				now += pause
			}
			readings++
			return int64(at)
		}
		got := aheadBy(func() int64 { return read() + int64(ahead) }, read)
		if off := (time.Duration(got) - ahead).Abs(); off > reading {
			t.Errorf("with a break after reading %d it is %s off", breakAfter, off)
		}
	}
}
