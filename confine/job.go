// Package confine takes from the process, in all its threads and for good, what it
// does not need for the rest of its work: system calls (seccomp(2)), the rights of
// root, and core dumps. It does so with the kernel's means alone, and tells what of
// that cannot be had.
package confine

import "errors"

// ErrUnsupported: the kernel, or this system, has no filters of system calls.
var ErrUnsupported = errors.New("the kernel has no filter of system calls (seccomp)")

// Job is what the process goes on to do. What no job needs is refused to all.
type Job struct {
	// Capture: it captures, finds processes, and tells a service manager. Else it reads
	// what is open, and opens files.
	Capture bool
	// Networks: it enters network namespaces.
	Networks bool
	// Programs: it runs programs of others, which inherit the filter. What these may do
	// beyond a capture, the process itself may do then, too.
	Programs bool
	// Users: it runs them as other users.
	Users bool
}

// verdict is what becomes of a system call.
type verdict int

const (
	// refused: it fails as if the kernel did not have it (ENOSYS), so that what has
	// another way takes that: a libc that is newer than the list of calls goes on.
	refused verdict = iota
	allowed
	// forbidden is what only who has taken over the process would do. It fails (EPERM)
	// where programs of others run, which may try what they are not allowed.
	forbidden
)

// rule is a verdict on system calls. If there are conditions, one of them has to hold.
type rule struct {
	calls      []string
	verdict    verdict
	conditions []conditions
}

// conditions hold together, each for an argument of a call.
type conditions []condition

// condition: of the lower 32 bits of an argument those of the mask are to be the value's.
// The kernel does not look at the upper ones of any argument that is asked for here.
type condition struct{ argument, mask, value uint32 }

// exactly is met by an argument that has the value.
func exactly(argument, value uint32) conditions {
	return conditions{{argument, 1<<32 - 1, value}}
}

// rules are those for the job: the first that a call meets decides.
func (j Job) rules() []rule {
	rules := []rule{
		allow(hot),
		noTyping,
		allow(running), allow(reading), allow(writing),
	}
	rules = append(rules, j.memory()...)
	rules = append(rules, j.children()...)
	if j.Capture || j.Programs {
		rules = append(rules, allow(talking), sockets, allow(watching))
	}
	if j.Networks {
		rules = append(rules, enterNetwork)
	}
	return append(rules, rule{calls: never, verdict: forbidden})
}

// memory: where no program of others runs nothing makes code, but that libraries are
// loaded, which no one writes to meanwhile (PROT_WRITE and PROT_EXEC, mmap(2)).
func (j Job) memory() []rule {
	const protection, write, exec = 2, 2, 4
	if j.Programs {
		return []rule{allow([]string{"mmap", "mprotect"})}
	}
	noWrite, noExec := conditions{{protection, write, 0}}, conditions{{protection, exec, 0}}
	return []rule{
		{calls: []string{"mmap"}, verdict: allowed, conditions: []conditions{noWrite, noExec}},
		{calls: []string{"mprotect"}, verdict: allowed, conditions: []conditions{noExec}},
	}
}

// children: threads, and programs if there are to be any, in the namespaces that are
// there (CLONE_THREAD, CLONE_NEW…, clone(2)).
func (j Job) children() []rule {
	const flags, thread, namespaces = 0, 0x00010000, 0x7e020000
	if !j.Programs {
		return []rule{
			{calls: []string{"clone"}, verdict: allowed, conditions: []conditions{{{flags, thread | namespaces, thread}}}},
			{calls: starting, verdict: forbidden},
		}
	}
	rules := []rule{
		{calls: []string{"clone"}, verdict: allowed, conditions: []conditions{{{flags, namespaces, 0}}}},
		allow(starting), allow(ofPrograms),
	}
	if j.Users {
		return append(rules, allow(users))
	}
	return append(rules, rule{calls: users, verdict: forbidden})
}

func allow(calls []string) rule { return rule{calls: calls, verdict: allowed} }
