package attribution

import (
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"
)

// sockDiag is the way that asks the kernel for the one socket with the tuple.
// It sees the network namespace that it was opened in.
type sockDiag struct {
	kernel *diagConn
	search *search
}

func openSockDiag(s *search) (*sockDiag, error) {
	kernel, err := dialDiag()
	if err != nil {
		return nil, err
	}
	return &sockDiag{kernel: kernel, search: s}, nil
}

func (w *sockDiag) method() Method { return SockDiag }
func (w *sockDiag) close() error   { return unix.Close(w.kernel.fd) }

// find settles the matter for all sockets that the kernel knows: one without
// inode is closed already, and other ways would know no more.
func (w *sockDiag) find(queries []query) []Answer {
	inodes := make([]uint64, len(queries))
	closed := make([]bool, len(queries))
	network := sync.OnceValue(readNetwork)
	for i, q := range queries {
		s, err := w.socket(q.tuple, network)
		inodes[i], closed[i] = s.inode, err == nil && s.inode == 0
	}
	answers := w.search.answers(queries, inodes, func(t Tuple, inode uint64) bool {
		s, err := w.socket(t, network)
		return err == nil && s.inode == inode
	})
	for i := range answers {
		if closed[i] {
			answers[i] = Answer{Status: NotFound}
		}
	}
	return answers
}

// socket looks for the socket of no particular interface first. Few programs
// bind theirs to one, such as curl --interface.
func (w *sockDiag) socket(t Tuple, network func() network) (diagSocket, error) {
	s, err := w.kernel.lookUp(t, 0)
	if !errors.Is(err, errNoSocket) || !network().has(t.Local.Addr()) {
		return s, err
	}
	for _, i := range network().interfaces {
		if s, err := w.kernel.lookUp(t, i); !errors.Is(err, errNoSocket) {
			return s, err
		}
	}
	return diagSocket{}, errNoSocket
}

// errNoSocket says that the kernel knows no socket with the tuple.
var errNoSocket = errors.New("no socket with this tuple")

// diagConn is a netlink socket, kept for all look-ups.
type diagConn struct {
	mu       sync.Mutex // held from request to reply
	fd       int
	sequence uint32
	buffer   [8 << 10]byte // a reply is about 100 bytes
}

// dialDiag opens a netlink socket and makes sure that the kernel answers on it.
func dialDiag() (*diagConn, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
	if err != nil {
		return nil, fmt.Errorf("open a socket: %w", err)
	}
	c := &diagConn{fd: fd}
	if _, err := c.ask(diagProbe); err != nil {
		unix.Close(fd)
		return nil, err
	}
	return c, nil
}

// lookUp returns the socket with the tuple. Where there is none the kernel may
// answer with one that listens on the local port.
func (c *diagConn) lookUp(t Tuple, interfaceIndex uint32) (diagSocket, error) {
	s, err := c.ask(func(sequence uint32) []byte { return diagLookUp(t, interfaceIndex, sequence) })
	other := err == nil && (s.tuple != t || s.state == stateListen)
	if other || errors.Is(err, unix.ENOENT) {
		return diagSocket{}, errNoSocket
	}
	return s, err
}

// ask sends a request and reads its answer. The kernel queues the answer before
// the sending ends (netlink(7)), so that there is nothing to wait for.
func (c *diagConn) ask(request func(sequence uint32) []byte) (diagSocket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sequence++
	err := unix.Sendto(c.fd, request(c.sequence), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err != nil {
		return diagSocket{}, fmt.Errorf("sock_diag: send: %w", err)
	}
	for {
		n, _, err := unix.Recvfrom(c.fd, c.buffer[:], unix.MSG_DONTWAIT)
		if err != nil {
			return diagSocket{}, fmt.Errorf("sock_diag: receive: %w", err)
		}
		m, _, err := nextMessage(c.buffer[:n])
		if err != nil {
			return diagSocket{}, err
		}
		if m.sequence == c.sequence {
			return m.socket()
		}
	}
}
