package attribution

import (
	"fmt"
	"io"
	"os"
)

const (
	// onlineFile lists the processors that are on
	// (Documentation/admin-guide/cputopology.rst).
	onlineFile = "/sys/devices/system/cpu/online"
	// lookAtProcessors is how often it is read while there are events, ns: ten
	// times a second takes 0.01 % of one.
	lookAtProcessors = 100_000_000
	// maxOnlineBytes is more than the list can have, which fits in a page.
	maxOnlineBytes = 1 << 16
	// sleepSlack is how much the two clocks that tell of a sleep may differ
	// without one, ns.
	sleepSlack = 10_000_000
)

// processors are those that rings were opened for.
type processors struct {
	file   *os.File // open, as there may be no descriptor for it later
	list   string
	asleep int64 // how long the machine has slept, ns
	looked int64 // when the file was read last, ns, CLOCK_MONOTONIC
	turn   int   // the ring that was asked last
}

func readProcessors(name string) (p processors, err error) {
	p.asleep = slept()
	if p.file, err = os.Open(name); err != nil {
		return processors{}, fmt.Errorf("list the processors: %w", err)
	}
	if p.list, err = p.read(); err != nil {
		p.file.Close()
		return processors{}, fmt.Errorf("list the processors: %w", err)
	}
	return p, nil
}

// read reads the list as it is now.
func (p *processors) read() (string, error) {
	list, err := io.ReadAll(io.NewSectionReader(p.file, 0, maxOnlineBytes))
	return string(list), err
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
	list, err := p.read()
	return err != nil || list != p.list || slept()-p.asleep > sleepSlack || p.hasEnded(rings)
}

// hasEnded reports whether the ring has whose turn it is.
func (p *processors) hasEnded(rings []*perfRing) bool {
	if len(rings) == 0 {
		return false
	}
	p.turn = (p.turn + 1) % len(rings)
	return !rings[p.turn].goesOn()
}
