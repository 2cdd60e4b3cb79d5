package attribution

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"golang.org/x/sys/unix"
)

// sockDiag is the way that asks the kernel for the one socket with the tuple, in
// the network namespace that it was opened in and, for connections that cannot
// be from there, in the others that processes are in.
type sockDiag struct {
	kernel     *diagConn
	others     *otherNetworks
	search     *search
	interfaces interfaces
}

func openSockDiag(s *search) (*sockDiag, error) {
	kernel, err := dialDiag()
	if err != nil {
		return nil, err
	}
	return &sockDiag{kernel: kernel, others: newOtherNetworks(s.facts.proc), search: s}, nil
}

func (w *sockDiag) method() Method { return SockDiag }
func (w *sockDiag) close() error   { return errors.Join(w.kernel.close(), w.others.close()) }

// find settles the matter for all sockets that the kernel knows: one without
// inode is closed already, and other ways would know no more.
func (w *sockDiag) find(queries []query) []Answer {
	l := w.socketsOf(queries)
	answers := w.search.answers(queries, l.inodes, l.open)
	for i := range answers {
		if l.settled[i] {
			answers[i] = Answer{Status: NotFound}
		}
	}
	return answers
}

// socketsOf is the sockets of some queries.
type socketsOf struct {
	*sockDiag
	addresses func() addresses
	inodes    []uint64             // of the queries, 0 if there is none
	settled   []bool               // there is no process to be found
	foreign   map[uint64]*diagConn // where sockets are that are not in our namespace
}

func (w *sockDiag) socketsOf(queries []query) *socketsOf {
	l := &socketsOf{
		sockDiag: w, addresses: sync.OnceValue(readAddresses), foreign: make(map[uint64]*diagConn),
		inodes: make([]uint64, len(queries)), settled: make([]bool, len(queries)),
	}
	var rest []int
	for i, q := range queries {
		if q.tuple.Network != "" {
			rest = append(rest, i)
			continue
		}
		s, err := w.socket(q.tuple, l.addresses)
		l.inodes[i], l.settled[i] = s.inode, err == nil && s.inode == 0
		if errors.Is(err, errNoSocket) && !l.addresses().has(q.tuple.Local.Addr()) {
			rest = append(rest, i)
		}
	}
	l.lookElsewhere(queries, rest)
	return l
}

// lookElsewhere looks for queries in the other namespaces and, if it has to, in
// those that have come since, whoever noticed them.
func (l *socketsOf) lookElsewhere(queries []query, rest []int) {
	rest = slices.DeleteFunc(rest, func(i int) bool { return l.askOthers(i, queries[i].tuple) })
	if len(rest) == 0 {
		return
	}
	l.others.refresh()
	for _, i := range rest {
		l.askOthers(i, queries[i].tuple)
	}
}

// askOthers reports whether the socket of a query was found, or cannot be.
func (l *socketsOf) askOthers(i int, t Tuple) bool {
	s, from, ambiguous := l.others.lookUp(t)
	if from == nil {
		l.settled[i] = ambiguous
		return ambiguous
	}
	l.inodes[i], l.settled[i] = s.inode, s.inode == 0
	l.foreign[s.inode] = from
	return true
}

// open reports whether the tuple still is that of the socket.
func (l *socketsOf) open(t Tuple, inode uint64) bool {
	if from := l.foreign[inode]; from != nil {
		s, err := from.lookUp(t, 0)
		return err == nil && s.inode == inode
	}
	s, err := l.socket(t, l.addresses)
	return err == nil && s.inode == inode
}

// atOnce looks where it takes no more than a few µs each. It returns the kernel
// that answered, which alone was asked: elsewhere asks the others.
func (w *sockDiag) atOnce(t Tuple) (s diagSocket, from *diagConn, ok bool) {
	if s, from = w.others.likely(t); from != nil {
		return s, from, s.inode != 0
	}
	if t.Network == "" {
		s, err := w.kernel.lookUp(t, 0)
		if !errors.Is(err, errNoSocket) {
			return s, w.kernel, err == nil && s.inode != 0
		}
	}
	s, from, _ = w.others.lookUp(t)
	return s, from, from != nil && s.inode != 0
}

// elsewhere reports whether there is a socket with the tuple in another namespace
// too, so that it is not known which one the packet is from. Where packets are
// captured there is one.
func (w *sockDiag) elsewhere(t Tuple, from *diagConn) bool {
	if t.Network != "" || from == w.kernel {
		return false
	}
	if _, err := w.kernel.lookUp(t, 0); err == nil {
		return true
	}
	return w.others.elsewhere(t, from)
}

// socket looks for the socket of no particular interface first. Few programs
// bind theirs to one, such as curl --interface.
func (w *sockDiag) socket(t Tuple, own func() addresses) (diagSocket, error) {
	s, err := w.kernel.lookUp(t, 0)
	if !errors.Is(err, errNoSocket) || !own().has(t.Local.Addr()) {
		return s, err
	}
	for _, i := range w.interfaces.lately() {
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

func (c *diagConn) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := unix.Close(c.fd)
	c.fd = -1 // who still asks gets an error
	return err
}

// lookUp returns the socket with the tuple. Where there is none the kernel may
// answer with one that listens on the local port.
func (c *diagConn) lookUp(t Tuple, interfaceIndex uint32) (diagSocket, error) {
	s, err := c.ask(func(sequence uint32) []byte { return diagLookUp(t, interfaceIndex, sequence) })
	other := err == nil && (s.tuple != t.ends() || s.state == stateListen)
	if other || errors.Is(err, unix.ENOENT) {
		return diagSocket{}, errNoSocket
	}
	return s, err
}

// ask sends a request and reads its answer. The kernel queues the answer before
// the sending ends (netlink(7)), so that there is nothing to wait for. What others send is
// no answer: who has CAP_NET_ADMIN in the namespace can, as anybody in one of his own.
func (c *diagConn) ask(request func(sequence uint32) []byte) (diagSocket, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.sequence++
	err := unix.Sendto(c.fd, request(c.sequence), 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err != nil {
		return diagSocket{}, fmt.Errorf("sock_diag: send: %w", err)
	}
	for {
		n, from, err := unix.Recvfrom(c.fd, c.buffer[:], unix.MSG_DONTWAIT)
		if err != nil {
			return diagSocket{}, fmt.Errorf("sock_diag: receive: %w", err)
		}
		if !isKernel(from) {
			continue
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

// isKernel reports whether that is who sent a message of netlink(7).
func isKernel(from unix.Sockaddr) bool {
	a, ok := from.(*unix.SockaddrNetlink)
	return ok && a.Pid == 0
}
