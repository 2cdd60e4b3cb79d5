package attribution

import (
	"fmt"
	"os"
	"strings"
)

// tracepoints says what to sample. Only the first is needed to tell who made a
// connection; without the others less is known of who that was: less says which there are
// not, and why.
func tracepoints(p proc, ports []uint16) (d *decoder, events []perfEvent, less []error, err error) {
	fs, err := openTracefs()
	if err != nil {
		return nil, nil, nil, err
	}
	defer fs.close()
	f, err := fs.format("sock/inet_sock_set_state")
	if err != nil {
		return nil, nil, nil, err
	}
	d = &decoder{}
	if d.socket, err = newSocketFormat(f); err != nil {
		return nil, nil, nil, err
	}
	events, less = d.processEvents(fs, p.isInitialPIDNamespace())
	return d, append([]perfEvent{{id: f.id, filter: socketFilter(ports), wakes: true}}, events...), less, nil
}

// processEvents says what to sample of what processes do, as far as there is that, and why
// not the rest. Forks are left out where pids are not the machine's, which is said elsewhere.
func (d *decoder) processEvents(fs tracefs, forks bool) (events []perfEvent, less []error) {
	add := func(event string, understand func(traceFormat) (perfEvent, error)) {
		f, err := fs.format(event)
		if err != nil {
			less = append(less, err)
			return
		}
		e, err := understand(f)
		if err != nil {
			less = append(less, fmt.Errorf("tracepoint %s: %w", event, err))
			return
		}
		events = append(events, e)
	}
	add("sched/sched_process_exec", func(f traceFormat) (e perfEvent, err error) {
		d.exec, err = newExecFormat(f)
		return perfEvent{id: f.id, wakes: true}, err
	})
	add("sched/sched_process_exit", func(f traceFormat) (perfEvent, error) {
		d.exit = newExitFormat(f)
		return perfEvent{id: f.id, filter: d.exit.filter()}, nil
	})
	if forks {
		add("task/task_newtask", func(f traceFormat) (e perfEvent, err error) {
			d.fork, err = newForkFormat(f)
			return perfEvent{id: f.id, filter: fmt.Sprintf("!(clone_flags & %d)", cloneThread)}, err
		})
	}
	return events, less
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
// where the kernel does not sample stacks, or not for us, which less says.
func openStacks(d *decoder) (rings []*perfRing, less []error) {
	if d.exec.id == 0 || stackPointer() == 0 {
		return nil, nil
	}
	rings, err := openRings([]perfEvent{{id: d.exec.id, stack: true}}, stackRings())
	if err != nil {
		return nil, []error{fmt.Errorf("stacks of programs that start: %w", err)}
	}
	return rings, nil
}

// isInitialPIDNamespace reports whether our pids are the machine's, as are
// those in the fields of tracepoints. Samples have ours.
func (p proc) isInitialPIDNamespace() bool {
	namespace, err := os.Readlink(p.root + "/self/ns/pid")
	return err == nil && namespace == initialPIDNamespace
}
