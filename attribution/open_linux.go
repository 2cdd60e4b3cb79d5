package attribution

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Open finds out which ways of finding a process work here and returns the
// Resolver that uses them, best first. That none works is no error: its answers
// are Unavailable then, and its Limits say why.
func Open(o Options) (Resolver, error) {
	p := proc{root: cmp.Or(o.Proc, "/proc"), boot: bootTime}
	if err := p.probe(); err != nil {
		return newResolver(nil, []string{fmt.Sprintf("No process can be found without /proc: %v.", err)}), nil
	}
	hurrySession()
	exact, limits := openWitness(p, o)
	limits = append(limits, p.blindSpots()...)
	ways, more := openWays(p, o)
	limits = append(limits, more...)
	if exact == nil {
		exact, more = openSecondWitness(p, o, ways)
		limits = append(limits, more...)
	}
	return newExactResolver(exact, ways, limits), nil
}

// openWays opens the ways that look a connection up.
func openWays(p proc, o Options) (ways []way, limits []string) {
	s := &search{facts: newFacts(p, cmp.Or(o.Passwd, "/etc/passwd")), now: time.Now}
	own := true // nobody else looks into our own namespace
	var kept func(string) bool
	if o.may(SockDiag) {
		diag, err := openSockDiag(s)
		if err == nil {
			ways, own, kept = append(ways, diag), false, diag.others.keeps
		} else {
			limits = append(limits, diagLimit(err))
		}
	}
	if o.may(Proc) {
		ways = append(ways, &tables{proc: p, search: s, own: own, kept: kept, network: readNetwork})
	}
	return ways, limits
}

// openWitness opens the tracepoint, or says why it cannot.
func openWitness(p proc, o Options) (witness, []string) {
	if !o.may(Tracepoint) {
		return nil, nil
	}
	ports := o.Ports
	if len(ports) == 0 {
		ports = []uint16{80}
	}
	t, err := openTracepoint(p, newFacts(p, cmp.Or(o.Passwd, "/etc/passwd")), ports, o.RealTime)
	if err != nil {
		return nil, []string{traceLimit(err)}
	}
	return t, nil
}

// openSecondWitness opens the one that needs sock_diag and the proc connector,
// or says why it cannot.
func openSecondWitness(p proc, o Options, ways []way) (witness, []string) {
	if len(ways) == 0 {
		return nil, nil
	}
	diag, ok := ways[0].(*sockDiag)
	if !ok {
		return nil, nil
	}
	c, err := openCatcher(p, diag, o.RealTime)
	if err != nil {
		return nil, []string{connectorLimit(err)}
	}
	diag.search.births = c
	return c, nil
}

func connectorLimit(err error) string {
	help := ""
	if errors.Is(err, fs.ErrPermission) {
		help = "; run as root or, before Linux 6.6, with CAP_NET_ADMIN"
	}
	return fmt.Sprintf("The kernel's proc connector cannot be used, so that more short-lived processes are missed: %v%s.", err, help)
}

func traceLimit(err error) string {
	help := ""
	switch {
	case errors.Is(err, fs.ErrPermission):
		help = "; run as root, or with CAP_PERFMON (before Linux 5.8 CAP_SYS_ADMIN) and CAP_DAC_READ_SEARCH, and look at kernel.perf_event_paranoid"
	case errors.Is(err, fs.ErrNotExist):
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

// initialPIDNamespace is the pid namespace of the whole machine
// (PROC_PID_INIT_INO, linux/proc_ns.h).
const initialPIDNamespace = "pid:[4026531836]"

// blindSpots say which processes cannot be seen.
func (p proc) blindSpots() []string {
	var limits []string
	if _, err := os.ReadDir(p.path(1, "fd")); err != nil {
		limits = append(limits, "Processes of other users cannot be found: run as root, or with CAP_SYS_PTRACE and CAP_DAC_READ_SEARCH.")
	}
	namespace, err := os.Readlink(filepath.Join(p.root, "self", "ns", "pid"))
	if err == nil && namespace != initialPIDNamespace {
		limits = append(limits, "This is a pid namespace of its own: processes outside it cannot be found. For a container, share the host's (docker run --pid=host).")
	}
	return limits
}
