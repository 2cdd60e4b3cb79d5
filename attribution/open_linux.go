package attribution

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// Open finds out which ways of finding a process work here and returns the
// Resolver that uses them, best first. That none works is no error: its answers
// are Unavailable then, and its Limits say why.
func Open(o Options) (Resolver, error) {
	p := proc{root: cmp.Or(o.Proc, "/proc"), boot: bootTime}
	p.mounts, p.numbered = p.ourMounts(), p.numbering()
	if p.numbered == numberedElsewhere {
		return newResolver(nil, []string{"No process can be found: /proc is that of another pid namespace, in which this program is not. Mount its own (mount -t proc proc /proc)."}), nil
	}
	if err := p.probe(); err != nil {
		return newResolver(nil, []string{fmt.Sprintf("No process can be found without /proc: %v.", err)}), nil
	}
	p.memories = openMemories()
	networks := newFollower(p)
	exact, limits := openWitness(p, o, networks)
	limits = append(limits, p.blindSpots(exact != nil, hasCapability)...)
	ways, more := openWays(p, o, networks)
	limits = append(limits, more...)
	if exact == nil {
		exact, more = openSecondWitness(p, ways, networks)
		limits = append(limits, more...)
	}
	r := newExactResolver(exact, ways, limits)
	r.networks, r.memories = networks, p.memories
	return r, nil
}

// openWays opens the ways that look a connection up.
func openWays(p proc, o Options, networks *follower) (ways []way, limits []string) {
	s := &search{facts: newFacts(p, cmp.Or(o.Passwd, "/etc/passwd")), now: time.Now}
	own := true // nobody else looks into our own namespace
	var kept func(string) bool
	if o.may(SockDiag) {
		diag, err := openSockDiag(s)
		if err == nil {
			diag.others.captured = networks
			networks.others = diag.others
			ways, own, kept = append(ways, diag), false, diag.others.keeps
		} else {
			limits = append(limits, diagLimit(err))
		}
	}
	if o.may(Proc) {
		ways = append(ways, &tables{proc: p, search: s, own: own, kept: kept, captured: networks, addresses: readAddresses})
	}
	return ways, limits
}

// openWitness opens the tracepoint, or says why it cannot.
func openWitness(p proc, o Options, networks *follower) (witness, []string) {
	if !o.may(Tracepoint) {
		return nil, nil
	}
	if p.numbered != numberedAsOurs {
		return nil, []string{traceLimit(errNumbering)}
	}
	t, err := openTracepoint(p, newFacts(p, cmp.Or(o.Passwd, "/etc/passwd")), o, networks)
	if err != nil {
		return nil, []string{traceLimit(err)}
	}
	return t, t.limits()
}

// limits say what is known less of processes than could be.
func (t *tracepoint) limits() (limits []string) {
	for _, err := range t.less {
		limits = append(limits, fmt.Sprintf("Not all of the kernel's events on processes can be read, so that less is known of those that live for milliseconds: %v.", err))
	}
	if t.slow != nil {
		limits = append(limits, slowLimit(t.slow))
	}
	return limits
}

func slowLimit(err error) string {
	return fmt.Sprintf("The kernel's events are read at normal priority, so that on a busy machine less is known of processes that live for milliseconds: %v.", err)
}

// openSecondWitness opens the one that needs sock_diag and the proc connector,
// or says why it cannot.
func openSecondWitness(p proc, ways []way, networks *follower) (witness, []string) {
	if len(ways) == 0 {
		return nil, nil
	}
	diag, ok := ways[0].(*sockDiag)
	if !ok {
		return nil, nil
	}
	if p.numbered != numberedAsOurs {
		return nil, []string{connectorLimit(errNumbering)}
	}
	c, err := openCatcher(p, diag, networks)
	if err != nil {
		return nil, []string{connectorLimit(err)}
	}
	diag.search.births = c
	return c, c.limits()
}

func connectorLimit(err error) string {
	help := ""
	if errors.Is(err, fs.ErrPermission) {
		help = "; run as root outside of containers and in the first network namespace, or with CAP_SYS_ADMIN (and before Linux 6.6 CAP_NET_ADMIN)"
	}
	return fmt.Sprintf("The kernel's proc connector cannot be used, so that more short-lived processes are missed: %v%s.", err, help)
}

func traceLimit(err error) string {
	help := ""
	if errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
		help = "; it takes Linux 4.16 with CONFIG_FTRACE"
	}
	return fmt.Sprintf("The kernel's tracepoint for connections cannot be used, so that short-lived processes are missed: %v%s.", err, help)
}

func diagLimit(err error) string {
	if errors.Is(err, fs.ErrNotExist) {
		err = errors.New("the kernel has no tcp_diag (modprobe tcp_diag)")
	}
	return fmt.Sprintf("sock_diag does not work, and /proc is slower and misses more short-lived processes: %v.", err)
}

// The namespaces of the whole machine (PROC_PID_INIT_INO and PROC_USER_INIT_INO,
// linux/proc_ns.h).
const (
	initialPIDNamespace  = "pid:[4026531836]"
	initialUserNamespace = "user:[4026531837]"
)

// blindSpots say which processes cannot be seen, with the tracepoint or
// without, and with the capabilities that the process has. These count for
// processes of the same user namespace only (user_namespaces(7)).
func (p proc) blindSpots(traced bool, has func(capability int) bool) []string {
	var limits []string
	ours := p.isIn("user", initialUserNamespace)
	links := ours && has(unix.CAP_SYS_PTRACE)
	descriptors := ours && (has(unix.CAP_DAC_READ_SEARCH) || has(unix.CAP_DAC_OVERRIDE))
	if !links && traced {
		limits = append(limits, "Other users' processes are told without their executables and directories: run as root outside of containers, or with CAP_SYS_PTRACE.")
	}
	if !links || !descriptors {
		limits = append(limits, unsearchable(traced))
	}
	if p.numbered == numberedAsOurs && !p.isIn("pid", initialPIDNamespace) {
		limits = append(limits, "This is a pid namespace of its own: processes outside it cannot be found. For a container, share the host's (docker run --pid=host).")
	}
	return limits
}

// isIn reports whether the process is in a namespace. Where the kernel has none
// of the kind it is, as far as that matters.
func (p proc) isIn(kind, namespace string) bool {
	own, err := os.Readlink(filepath.Join(p.root, "self", "ns", kind))
	return err != nil || own == namespace
}

// unsearchable is for where other users' sockets cannot be seen.
func unsearchable(traced bool) string {
	what := "Processes of other users cannot be found"
	if traced {
		what = "Where the tracepoint does not tell, as of connections from before the start, processes of other users cannot be found"
	}
	return what + ": run as root outside of containers, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH."
}

// refused adds to an error what to do, if a lack of permission is its cause.
func refused(err error, help string) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("%w; %s", err, help)
	}
	return err
}
