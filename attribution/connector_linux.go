package attribution

import (
	"errors"
	"fmt"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// connectorBuffer is asked for. The kernel doubles it, and counts about
	// 800 bytes a message: room for 10,000 events, 0.5 s of a storm of 6,000
	// processes a second.
	connectorBuffer = 4 << 20
	// connectorAnswers is how long an answer is waited for. It is there when
	// the sending of the request ends; what may be waiting is a system call.
	connectorAnswers = 100 * time.Millisecond
	// connectorSequence tells the answer to us from those to others, which are
	// sent to all.
	connectorSequence = 0x696d6473
)

// errNoConnector says that the kernel does not answer.
var errNoConnector = errors.New("the kernel does not answer, as it does in the first network, user and pid namespaces alone")

// connector is a netlink socket on which the kernel tells what processes do,
// on the whole machine.
type connector struct {
	fd      int
	buffer  [512]byte // an event takes 76 bytes
	dropped uint32    // messages that the kernel had no room for so far
}

// kthreadd is the pid of the parent of the kernel's threads, which is in the
// first network namespace. That of pid 1 is too as a rule, but can be guarded.
const kthreadd = 2

// dialConnector opens the socket in the first network namespace, or in our own
// where that may not be.
func dialConnector(p proc) (*connector, error) {
	if !p.isInitialPIDNamespace() {
		return nil, errNoConnector // the pids that it tells would not be ours
	}
	var c *connector
	dial := func() (err error) { c, err = dialConnectorHere(); return err }
	entered := inNetworkOf(p.path(kthreadd), dial)
	if entered == nil {
		return c, nil
	}
	err := dial()
	if errors.Is(err, errNoConnector) && !errors.Is(entered, errNoConnector) {
		err = fmt.Errorf("%w, and the first network namespace cannot be entered: %w", err, entered)
	}
	return c, err
}

func dialConnectorHere() (*connector, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_CONNECTOR)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	c := &connector{fd: fd}
	if err := c.start(); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return c, nil
}

func (c *connector) start() error {
	if unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, connectorBuffer) != nil {
		_ = unix.SetsockoptInt(c.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, connectorBuffer) // as much as may be
	}
	// Before Linux 6.6 that takes CAP_NET_ADMIN.
	if err := unix.Bind(c.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: connectorProc}); err != nil {
		return fmt.Errorf("listen to the proc connector: %w", err)
	}
	if err := c.ask(); err != nil {
		return err
	}
	return c.request(procListen, true) // its answer is among what it does not ask for
}

func (c *connector) request(operation uint32, filtered bool) error {
	to := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	err := unix.Sendto(c.fd, connectorRequest(operation, connectorSequence, filtered), 0, to)
	if errors.Is(err, unix.ECONNREFUSED) {
		return errNoConnector
	}
	if err != nil {
		return fmt.Errorf("ask the proc connector: %w", err)
	}
	return nil
}

// ask requests events and makes sure that they will come.
func (c *connector) ask() error {
	if err := c.request(procListen, false); err != nil {
		return err
	}
	for end := time.Now().Add(connectorAnswers); time.Now().Before(end); {
		m, err := c.receive()
		if errors.Is(err, unix.EAGAIN) {
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(c.fd), Events: unix.POLLIN}}, int(connectorAnswers/time.Millisecond))
			continue
		}
		if ours, err := m.answers(connectorSequence); ours {
			return err
		}
	}
	return errNoConnector
}

// receive returns the next message, EAGAIN if there is none and ENOBUFS if some
// were lost. What others than the kernel send is empty.
func (c *connector) receive() (connectorMessage, error) {
	n, from, err := unix.Recvfrom(c.fd, c.buffer[:], 0)
	if err != nil {
		return connectorMessage{}, err
	}
	if !isKernel(from) {
		return connectorMessage{}, nil
	}
	m, err := parseConnector(c.buffer[:n])
	if err != nil {
		return connectorMessage{}, nil // of another connector
	}
	return m, nil
}

// read calls take for all events that are there, and returns how many were lost
// since the last time.
func (c *connector) read(take func(traceEvent)) (lost uint64) {
	for {
		m, err := c.receive()
		switch {
		case errors.Is(err, unix.ENOBUFS):
			lost += c.losses()
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return lost
		default:
			if e, ok := m.event(); ok {
				take(e)
			}
		}
	}
}

// losses returns how many messages found no room since it was called last: at
// least one, as it is called when the kernel says so.
func (c *connector) losses() uint64 {
	var info [9]uint32 // SK_MEMINFO_DROPS is the last (linux/sock_diag.h)
	size := uint32(unsafe.Sizeof(info))
	_, _, errno := unix.Syscall6(unix.SYS_GETSOCKOPT, uintptr(c.fd), unix.SOL_SOCKET, unix.SO_MEMINFO,
		uintptr(unsafe.Pointer(&info)), uintptr(unsafe.Pointer(&size)), 0)
	dropped := info[8] - c.dropped
	if errno != 0 || dropped == 0 {
		return 1 // before Linux 4.12
	}
	c.dropped = info[8]
	return uint64(dropped)
}

// close also ends the kernel's work for us, which before Linux 6.6 does not end
// with the socket.
func (c *connector) close() error {
	return errors.Join(c.request(procIgnore, false), unix.Close(c.fd))
}
