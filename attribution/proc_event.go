package attribution

import (
	"encoding/binary"
	"fmt"
	"syscall"
)

// The messages of the proc connector, from linux/connector.h and
// linux/cn_proc.h: a header of netlink(7), struct cn_msg, struct proc_event.
// Numbers are in the machine's byte order.
const (
	connectorProc      = 1 // CN_IDX_PROC and CN_VAL_PROC, and the multicast group
	connectorHeaderLen = 20
	procEventHeaderLen = 16

	procListen = 1 // PROC_CN_MCAST_LISTEN
	procIgnore = 2 // PROC_CN_MCAST_IGNORE

	procAck  = 0 // PROC_EVENT_NONE: the answer to a request
	procFork = 0x1
	procExec = 0x2
	procExit = 0x80000000
)

// connectorRequest returns the request that events come from now on, or no
// more. Since Linux 6.6 it can say which: those of what processes do. Older
// kernels do not answer a request that does.
func connectorRequest(operation, sequence uint32, filtered bool) []byte {
	data := binary.NativeEndian.AppendUint32(nil, operation)
	if filtered {
		data = binary.NativeEndian.AppendUint32(data, procFork|procExec|procExit)
	}
	b := make([]byte, netlinkHeaderLen+connectorHeaderLen, 64)
	binary.NativeEndian.PutUint32(b[0:], uint32(len(b)+len(data)))
	binary.NativeEndian.PutUint16(b[4:], nlmsgDone)
	m := b[netlinkHeaderLen:]
	binary.NativeEndian.PutUint32(m[0:], connectorProc)
	binary.NativeEndian.PutUint32(m[4:], connectorProc)
	binary.NativeEndian.PutUint32(m[12:], sequence)
	binary.NativeEndian.PutUint16(m[16:], uint16(len(data)))
	return append(b, data...)
}

// connectorMessage is one message of the proc connector.
type connectorMessage struct {
	sequence uint32 // of the request that it answers
	what     uint32
	at       int64 // ns, CLOCK_MONOTONIC
	data     []byte
}

// parseConnector reads a message as it is received.
func parseConnector(b []byte) (c connectorMessage, err error) {
	m, _, err := nextMessage(b)
	if err != nil {
		return c, err
	}
	if len(m.body) < connectorHeaderLen+procEventHeaderLen {
		return c, errShortReply
	}
	index, value := binary.NativeEndian.Uint32(m.body), binary.NativeEndian.Uint32(m.body[4:])
	if index != connectorProc || value != connectorProc {
		return c, fmt.Errorf("a message of connector %d.%d was not asked for", index, value)
	}
	event := m.body[connectorHeaderLen:]
	return connectorMessage{
		sequence: binary.NativeEndian.Uint32(m.body[12:]) - 1, // send_msg in drivers/connector/cn_proc.c keeps this one
		what:     binary.NativeEndian.Uint32(event),
		at:       int64(binary.NativeEndian.Uint64(event[8:])),
		data:     event[procEventHeaderLen:],
	}, nil
}

// answers reports whether the message answers the request, and how.
func (c connectorMessage) answers(sequence uint32) (bool, error) {
	if c.what != procAck || c.sequence != sequence || len(c.data) < 4 {
		return false, nil
	}
	if errno := binary.NativeEndian.Uint32(c.data); errno != 0 {
		return true, syscall.Errno(errno)
	}
	return true, nil
}

// event reads what a process did, false if it is none of interest. Tasks that
// are no process of their own are threads.
//
// A child that was made with CLONE_PARENT (clone(2)) is told as one of its
// maker's parent. Runtimes of containers do that; what they start calls
// execve(2), which tells what it is.
func (c connectorMessage) event() (traceEvent, bool) {
	e := traceEvent{at: c.at}
	number := func(i int) int {
		if len(c.data) < 4*(i+1) {
			return 0
		}
		return int(int32(binary.NativeEndian.Uint32(c.data[4*i:])))
	}
	switch c.what {
	case procFork: // pid and tgid of the parent, of the child
		e.kind, e.pid, e.child = forkEvent, number(1), number(3)
		return e, e.pid > 0 && e.child > 0 && number(2) == e.child
	case procExec: // pid, tgid
		e.kind, e.pid = execEvent, number(1)
		return e, e.pid > 0
	case procExit: // pid, tgid
		e.kind, e.pid = exitEvent, number(1)
		return e, e.pid > 0 && number(0) == e.pid
	}
	return e, false
}
