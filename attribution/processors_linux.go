package attribution

import (
	"fmt"
	"os"
)

const (
	// onlineFile lists the processors that are on
	// (Documentation/admin-guide/cputopology.rst).
	onlineFile = "/sys/devices/system/cpu/online"
	// lookAtProcessors is how often it is read while there are events, ns: ten
	// times a second takes 0.01 % of one.
	lookAtProcessors = 100_000_000
	// sleepSlack is how much the two clocks that tell of a sleep may differ
	// without one, ns.
	sleepSlack = 10_000_000
)

// processors are those that rings were opened for.
type processors struct {
	file   string
	list   string
	asleep int64 // how long the machine has slept, ns
	looked int64 // when the file was read last, ns, CLOCK_MONOTONIC
	turn   int   // the ring that was asked last
}

func readProcessors(file string) (processors, error) {
	list, err := os.ReadFile(file)
	if err != nil {
		return processors{}, fmt.Errorf("list the processors: %w", err)
	}
	return processors{file: file, list: string(list), asleep: slept()}, nil
}

// changed reports whether events may be missing from now on. A processor that
// goes on has no ring, and one that goes off takes its events with it, also if
// it comes back at once, as all but one do when a machine hibernates
// (perf_event_exit_cpu, kernel/events/core.c). The list does not tell of one that is back
// before the next look: for that the rings are asked, one at a time, as that interrupts
// its processor. Its events have been missing for as many looks as there are rings, at most.
func (p *processors) changed(now int64, rings []*perfRing) bool {
	if now-p.looked < lookAtProcessors {
		return false
	}
	p.looked = now
	list, err := os.ReadFile(p.file)
	return err != nil || string(list) != p.list || slept()-p.asleep > sleepSlack || p.hasEnded(rings)
}

// hasEnded reports whether the ring has whose turn it is.
func (p *processors) hasEnded(rings []*perfRing) bool {
	if len(rings) == 0 {
		return false
	}
	p.turn = (p.turn + 1) % len(rings)
	return !rings[p.turn].goesOn()
}
