package attribution

import (
	"encoding/binary"
	"errors"
	"net/netip"
)

// eventKind is what happened.
type eventKind uint8

const (
	connectEvent eventKind = iota + 1 // a process called connect(2)
	endEvent                          // its handshake ended, well or not
	execEvent                         // a process runs another program
	forkEvent                         // a process has a child
	exitEvent                         // a process ended
	blindEvent                        // events are missing from at to until
)

// traceEvent is something that happened in the kernel.
type traceEvent struct {
	kind eventKind
	at   int64 // ns, CLOCK_MONOTONIC
	pid  int   // the process; endEvent and blindEvent have none
	tid  int   // the thread, 0 if it is not known

	socket uint64 // connectEvent, endEvent: its address, which is used again
	// endEvent
	tuple     Tuple
	succeeded bool // the connection is established

	child   int  // forkEvent: its pid
	sibling bool // forkEvent: the child has the same parent as pid

	until int64 // blindEvent

	file string // execEvent: what the process runs from now on, as it was called

	// read is what was read of the process on the event, nil if nothing was.
	read *reading
	// relatives are processes that were not known and were read too, the
	// eldest first.
	relatives []*reading
}

const (
	// TCP_ESTABLISHED and TCP_SYN_SENT (net/tcp_states.h).
	stateEstablished = 1
	stateSynSent     = 2

	// Flags of clone(2) that tell what a new task is.
	cloneParent = 0x8000
	cloneThread = 0x10000
)

// decoder reads events out of the raw data of tracepoints. Each begins with the
// id of its tracepoint ("common_type").
type decoder struct {
	socket socketFormat
	exec   execFormat
	fork   forkFormat
	exit   exitFormat
}

// socketFormat is that of sock:inet_sock_set_state.
type socketFormat struct {
	id                     uint16
	pointer                traceField
	oldState, newState     traceField
	sourcePort, remotePort traceField
	// The fields for IPv6 addresses have those of IPv4 too, mapped.
	source, remote traceField
}

func newSocketFormat(f traceFormat) (s socketFormat, err error) {
	var errs [7]error
	s.id = f.id
	s.pointer, errs[0] = f.long("skaddr")
	s.oldState, errs[1] = f.place("oldstate", 4)
	s.newState, errs[2] = f.place("newstate", 4)
	s.sourcePort, errs[3] = f.place("sport", 2)
	s.remotePort, errs[4] = f.place("dport", 2)
	s.source, errs[5] = f.place("saddr_v6", 16)
	s.remote, errs[6] = f.place("daddr_v6", 16)
	return s, errors.Join(errs[:]...)
}

// execFormat is that of sched:sched_process_exec.
type execFormat struct {
	id   uint16
	file traceField
}

func newExecFormat(f traceFormat) (execFormat, error) {
	file, err := f.place("filename", 4)
	if err != nil {
		return execFormat{}, err
	}
	return execFormat{f.id, file}, nil
}

// forkFormat is that of task:task_newtask, which other than
// sched:sched_process_fork tells threads from processes.
type forkFormat struct {
	id         uint16
	pid, flags traceField
}

func newForkFormat(f traceFormat) (forkFormat, error) {
	pid, err1 := f.place("pid", 4)
	flags, err2 := f.long("clone_flags")
	if err := errors.Join(err1, err2); err != nil {
		return forkFormat{}, err
	}
	return forkFormat{f.id, pid, flags}, nil
}

// exitFormat is that of sched:sched_process_exit. Older kernels do not tell
// whether a thread was the last of its process.
type exitFormat struct {
	id    uint16
	last  traceField
	tells bool
}

func newExitFormat(f traceFormat) exitFormat {
	last, err := f.place("group_dead", 1)
	return exitFormat{f.id, last, err == nil}
}

// decode returns the event of a sample, false if it is none of interest. A sample that was
// taken while a process ran that is ended and forgotten has -1 for its pid.
func (d *decoder) decode(s perfSample) (traceEvent, bool) {
	if len(s.raw) < 2 {
		return traceEvent{}, false
	}
	e := traceEvent{at: s.at, pid: s.pid, tid: s.tid}
	switch id := binary.NativeEndian.Uint16(s.raw); {
	case id == 0: // no tracepoint
		return e, false
	case id == d.socket.id:
		return d.socket.decode(e, s.raw)
	case id == d.exec.id:
		e.kind, e.file = execEvent, d.exec.file.text(s.raw)
	case id == d.fork.id:
		return d.fork.decode(e, s.raw)
	case id == d.exit.id:
		e.kind = exitEvent
		return e, e.pid >= 0 && (d.exit.last.number(s.raw) != 0 || !d.exit.tells && s.pid == s.tid)
	}
	return e, e.kind != 0 && e.pid > 0
}

// decode reads the steps of a handshake. A socket has no port yet when the
// first begins, and the second happens in whatever process is running, or no more.
func (f socketFormat) decode(e traceEvent, raw []byte) (traceEvent, bool) {
	e.socket = f.pointer.number(raw)
	switch uint64(stateSynSent) {
	case f.newState.number(raw):
		e.kind = connectEvent
		return e, e.pid >= 0
	case f.oldState.number(raw):
		e.kind, e.pid, e.tid, e.succeeded = endEvent, 0, 0, f.newState.number(raw) == stateEstablished
		e.tuple = Tuple{
			Local:  socketAddress(f.source.of(raw), f.sourcePort.number(raw)),
			Remote: socketAddress(f.remote.of(raw), f.remotePort.number(raw)),
		}
		return e, true
	}
	return e, false
}

func socketAddress(address []byte, port uint64) netip.AddrPort {
	a, _ := netip.AddrFromSlice(address)
	return netip.AddrPortFrom(a.Unmap(), uint16(port))
}

func (f forkFormat) decode(e traceEvent, raw []byte) (traceEvent, bool) {
	flags := f.flags.number(raw)
	e.kind = forkEvent
	e.child = int(f.pid.number(raw))
	e.sibling = flags&cloneParent != 0
	return e, flags&cloneThread == 0 && e.child > 0 && e.pid > 0
}
