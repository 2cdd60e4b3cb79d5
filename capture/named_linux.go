//go:build cgo

package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// named captures an interface by its name: when that is removed, and another one is made
// with the name, it goes on with that. Libpcap's handles end with their interface, and
// to open another takes a privilege that is given up by then. So there is a packet socket
// besides from the start on, from which nothing comes until it is bound, which takes none.
type named struct {
	first   *pcapSource
	index   int // the number of its interface
	tap     bool
	changed func(error)
	socket  *packetSocket
	later   LiveSource // of the same socket, once the first has failed; of the reader
	failed  time.Time  // when it did last; of the reader
	drained bool       // and has nothing more; of the reader

	binding sync.Mutex // guards what follows
	bound   int        // the number of the interface that is captured, 0 for none
	over    bool       // by the first source no more

	mu    sync.Mutex // guards what follows
	told  LiveStats  // by the first one last
	ended bool       // it is closed
}

// followName opens what takes the place of a handle once its interface is gone.
func followName(first *pcapSource, options LiveOptions) (LiveSource, error) {
	filter := options.filter()(options.Endpoints)
	n := &named{first: first, tap: options.SYNTap, changed: options.Changed, socket: &packetSocket{filter: filter, elsewhere: filter}}
	if n.changed == nil {
		n.changed = func(error) {}
	}
	err := n.socket.make(func(fd int) (err error) {
		n.index, err = indexOf(fd, first.name)
		return err
	})
	if err != nil {
		first.handle.Close()
		return nil, fmt.Errorf("cannot capture on %s: %w", first.where, err)
	}
	return n, nil
}

// Next waits for the next packet, be it for the interface to come back.
func (n *named) Next() (*Packet, error) {
	for !n.drained {
		p, err := n.first.Next()
		if err == nil || errors.Is(err, io.EOF) {
			return p, err
		}
		if err := n.fail(err); err != nil {
			return nil, err
		}
	}
	p, err := n.later.Next()
	if err == nil {
		p.Interface = n.first.name
	}
	return p, err
}

// drainTime is how long after its interface has gone a handle of libpcap has handed over
// all that came before.
const drainTime = PayloadDelay * 3 / 2

// fail is for when the first source fails. It fails again when there is nothing more in
// it, but not if its own interface has come back meanwhile, as one that had another name.
func (n *named) fail(why error) error {
	if time.Since(n.failed) < drainTime {
		return n.endFirst()
	}
	if n.later == nil {
		if err := n.takeOver(why); err != nil {
			return errors.Join(why, err)
		}
	}
	time.Sleep(drainTime)
	n.failed = time.Now()
	return nil
}

// takeOver has the socket bound to the interface that has the name, as soon as there is one.
func (n *named) takeOver(why error) (err error) {
	if n.later, err = n.open(); err != nil {
		return err
	}
	events, err := listenToLinks()
	if err != nil {
		return err
	}
	n.changed(fmt.Errorf("%w: %w", ErrGone, why))
	go n.follow(events)
	return nil
}

// open makes a source of the socket, with as much room as the first one had.
func (n *named) open() (LiveSource, error) {
	if n.tap {
		return newSYNSocket(func() (*directSocket, error) {
			return newDirect(n.socket, tapSnaplen), n.socket.control(func(fd int) error { return prepareDirect(fd, synQueue) })
		})
	}
	r := &ring{packetSocket: n.socket, size: payloadRing()}
	return r, n.socket.control(r.share)
}

// control does something with the descriptor.
func (s *packetSocket) control(do func(fd int) error) error {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return err
	}
	var failed error
	err = raw.Control(func(fd uintptr) { failed = do(int(fd)) })
	return errors.Join(err, failed)
}

// listenToLinks opens a socket on which the kernel tells of interfaces (rtnetlink(7)).
func listenToLinks() (*os.File, error) {
	fd, err := unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK, Groups: unix.RTMGRP_LINK}); err != nil {
		unix.Close(fd)
		return nil, fmt.Errorf("listen to the kernel's news of interfaces: %w", err)
	}
	return os.NewFile(uintptr(fd), "rtnetlink"), nil
}

// follow binds the socket to the interface of the name whenever there is another one. It
// ends with the process, as readers of libpcap do, or when the socket is closed.
func (n *named) follow(events *os.File) {
	defer events.Close()
	news := make([]byte, 8<<10) // of which it is enough that there are some
	for n.rebind() == nil {
		if _, err := events.Read(news); err != nil && !errors.Is(err, unix.ENOBUFS) {
			return
		}
	}
}

// rebind fails if the socket is closed.
func (n *named) rebind() error {
	n.binding.Lock()
	defer n.binding.Unlock()
	was, lost := n.bound, false
	err := n.socket.control(func(fd int) (err error) {
		n.bound, err = indexOf(fd, n.first.name)
		if n.bound == 0 || !n.isOthers() {
			return err
		}
		lost = hasLost(fd)
		if (n.bound != was || lost) && bind(fd, n.bound) != nil {
			n.bound = 0 // it is gone again, of which there will be news
		}
		return err
	})
	if err == nil {
		n.tell(was, lost)
	}
	return err
}

// hasLost reports whether what the socket was bound to has gone since: there can be another
// one by the same number, or it again, of which nothing comes before the socket is bound anew.
func hasLost(fd int) bool {
	at, err := unix.Getsockname(fd)
	link, ok := at.(*unix.SockaddrLinklayer)
	return err == nil && ok && int32(link.Ifindex) == -1 // packet_notifier, net/packet/af_packet.c
}

// tell says what has changed since another interface was bound, or none, or one that is
// lost: one that has taken the other's place between two looks came after that had gone.
func (n *named) tell(was int, lost bool) {
	if n.bound == was && !lost {
		return
	}
	if was != 0 {
		n.changed(ErrGone)
	}
	if n.bound != 0 {
		n.changed(nil)
	}
}

// isOthers reports whether the first source does not capture what is bound.
func (n *named) isOthers() bool { return n.over || n.bound != n.index }

// endFirst closes the handle, which nobody reads any more.
func (n *named) endFirst() error {
	_, _ = n.Stats()
	n.mu.Lock()
	n.drained, n.ended = true, true
	n.first.handle.Close()
	n.mu.Unlock()
	n.binding.Lock()
	defer n.binding.Unlock()
	n.over = true
	if n.bound != n.index {
		return nil
	}
	return n.socket.control(func(fd int) error { return bind(fd, n.bound) })
}

// indexOf is the number of the interface of that name, 0 if there is none.
func indexOf(fd int, name string) (int, error) {
	request, err := unix.NewIfreq(name)
	if err != nil {
		return 0, err
	}
	switch err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, request); {
	case errors.Is(err, unix.ENODEV):
		return 0, nil
	case err != nil:
		return 0, fmt.Errorf("look for an interface: %w", err)
	}
	return int(request.Uint32()), nil
}

// Stats are those of both sources.
func (n *named) Stats() (LiveStats, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	sum := n.told
	if !n.ended {
		stats, err := n.first.Stats()
		if err != nil {
			return sum, err
		}
		n.told, sum = stats, stats
	}
	later, err := n.socket.Stats()
	sum.Received += later.Received
	sum.Dropped += later.Dropped
	return sum, err
}

func (n *named) Filter() string { return n.first.filter }

// Close ends the source, as that of libpcap does.
func (n *named) Close() error { return errors.Join(n.first.Close(), n.socket.Close()) }
