//go:build cgo

package capture

import (
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sys/unix"
)

// synQueue is what a SYN tap may have waiting: some 100 SYNs with what the kernel
// keeps of each.
const synQueue = 128 << 10

// synSocket hands out packets one by one, as soon as they come. Its reader has a
// thread for itself that waits in the kernel: woken by the runtime's poller, it
// would be late for callers that live a millisecond.
type synSocket struct {
	*directSocket

	using  sync.Mutex // guards what follows
	bell   int        // eventfd(2): it is to end
	read   bool       // Next is on its way, and will see the bell
	closed bool
}

func openSYNSocket(s *packetSocket) (*synSocket, error) {
	return newSYNSocket(func() (*directSocket, error) { return openDirect(s, tapSnaplen, synQueue) })
}

func newSYNSocket(open func() (*directSocket, error)) (*synSocket, error) {
	bell, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("eventfd: %w", err)
	}
	d, err := open()
	if err != nil {
		unix.Close(bell)
		return nil, err
	}
	return &synSocket{directSocket: d, bell: bell}, nil
}

// Next waits for the next packet. It ends when the socket is closed.
func (s *synSocket) Next() (*Packet, error) {
	if !s.enter() {
		return nil, io.EOF
	}
	defer s.leave()
	fd := int(s.file.Fd())
	ready := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(s.bell), Events: unix.POLLIN}}
	for {
		err := s.receive(fd)
		switch {
		case err == nil:
			return s.placed(&s.packet), nil
		case !errors.Is(err, unix.EAGAIN) && !errors.Is(err, unix.ENETDOWN): // of a bound one
			return nil, s.failed(err)
		}
		if _, err := unix.Poll(ready, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return nil, s.failed(err)
		}
		if ready[1].Revents != 0 {
			return nil, io.EOF
		}
	}
}

// enter reports whether there is a socket to read from: until leave it stays.
func (s *synSocket) enter() bool {
	s.using.Lock()
	defer s.using.Unlock()
	s.read = !s.closed
	return s.read
}

func (s *synSocket) leave() {
	s.using.Lock()
	defer s.using.Unlock()
	s.read = false
	if s.closed {
		s.release()
	}
}

// Close ends the source. The thread that waits on it has to come back first.
func (s *synSocket) Close() error {
	s.using.Lock()
	defer s.using.Unlock()
	if s.closed {
		return nil
	}
	s.closed = true
	if !s.read {
		return s.release()
	}
	// Any number of 64 bits rings it but 0 and the highest (eventfd(2)): this is neither in
	// either byte order.
	if _, err := unix.Write(s.bell, []byte{1, 0, 0, 0, 0, 0, 0, 1}); err != nil {
		return fmt.Errorf("end the reader of a packet socket: %w", err)
	}
	return nil
}

// release closes what is open. The caller holds using.
func (s *synSocket) release() error {
	return errors.Join(unix.Close(s.bell), s.directSocket.Close())
}
