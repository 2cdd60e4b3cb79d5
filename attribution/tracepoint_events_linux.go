package attribution

import (
	"fmt"
	"os"
	"strings"
)

// tracepoints says what to sample. Only the first is needed to tell who made a
// connection; without the others less is known of who that was.
func tracepoints(p proc, ports []uint16) (*decoder, []perfEvent, error) {
	fs, err := openTracefs()
	if err != nil {
		return nil, nil, err
	}
	defer fs.close()
	f, err := fs.format("sock/inet_sock_set_state")
	if err != nil {
		return nil, nil, err
	}
	d := &decoder{}
	if d.socket, err = newSocketFormat(f); err != nil {
		return nil, nil, err
	}
	events := []perfEvent{{id: f.id, filter: socketFilter(ports), wakes: true}}
	if f, err := fs.format("sched/sched_process_exec"); err == nil {
		if d.exec, err = newExecFormat(f); err == nil {
			events = append(events, perfEvent{id: f.id, wakes: true})
		}
	}
	if f, err := fs.format("sched/sched_process_exit"); err == nil {
		d.exit = newExitFormat(f)
		events = append(events, perfEvent{id: f.id, filter: d.exit.filter()})
	}
	if f, err := fs.format("task/task_newtask"); err == nil && p.isInitialPIDNamespace() {
		if d.fork, err = newForkFormat(f); err == nil {
			events = append(events, perfEvent{id: f.id, filter: fmt.Sprintf("!(clone_flags & %d)", cloneThread)})
		}
	}
	return d, events, nil
}

// socketFilter lets through the two ends of handshakes with the ports.
func socketFilter(ports []uint16) string {
	var list []string
	for _, port := range ports {
		list = append(list, fmt.Sprintf("dport == %d", port))
	}
	return fmt.Sprintf("(%s) && protocol == %d && (oldstate == %d || newstate == %d)",
		strings.Join(list, " || "), protocolTCP, stateSynSent, stateSynSent)
}

func (f exitFormat) filter() string {
	if !f.tells {
		return ""
	}
	return "group_dead == 1"
}

// openStacks opens rings for the stacks of programs that start. There are none
// where the kernel does not sample stacks, or not for us.
func openStacks(d *decoder) []*perfRing {
	if d.exec.id == 0 || stackPointer() == 0 {
		return nil
	}
	rings, err := openRings([]perfEvent{{id: d.exec.id, stack: true}}, stackRings())
	if err != nil {
		return nil
	}
	return rings
}

// isInitialPIDNamespace reports whether our pids are the machine's, as are
// those in the fields of tracepoints. Samples have ours.
func (p proc) isInitialPIDNamespace() bool {
	namespace, err := os.Readlink(p.root + "/self/ns/pid")
	return err == nil && namespace == initialPIDNamespace
}
