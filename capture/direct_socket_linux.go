//go:build cgo

package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// directSocket hands out packets one by one, as soon as they come. It is open in
// a fraction of a millisecond, where a ring takes up to 15: the kernel waits for
// all processors then. It has little room.
type directSocket struct {
	*packetSocket
	packet  Packet // the last one
	data    []byte
	control [64]byte // holds one struct timespec with its header (cmsg(3))
}

// openDirect opens one for packets of so many bytes, with room for as much as the
// kernel gives of what is asked for: it counts what it keeps of packets, too.
func openDirect(s *packetSocket, snaplen, room int) (*directSocket, error) {
	d := newDirect(s, snaplen)
	return d, s.open(func(fd int) error { return prepareDirect(fd, room) })
}

func newDirect(s *packetSocket, snaplen int) *directSocket {
	return &directSocket{packetSocket: s, data: make([]byte, snaplen)}
}

func prepareDirect(fd, room int) error {
	err := errors.Join(
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1),
		unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RCVBUF, room))
	if err != nil {
		return fmt.Errorf("prepare a packet socket: %w", err)
	}
	return nil
}

// Next waits for the next packet. After Close it hands out what had come by then, and then
// ends.
func (d *directSocket) Next() (*Packet, error) {
	d.willBeRead()
	var failure error
	err := d.wait(func(fd int) bool {
		failure = d.receive(fd)
		return !errors.Is(failure, unix.EAGAIN)
	})
	if errors.Is(err, os.ErrDeadlineExceeded) { // it is closed
		err, failure = d.rest(), nil
	}
	switch {
	case err != nil:
		return nil, io.EOF
	case failure != nil:
		return nil, d.failed(failure)
	}
	return d.placed(&d.packet), nil
}

// rest receives what had come before Close. Behind the last it gives back what is open.
func (d *directSocket) rest() error {
	err := d.packetSocket.control(d.receive)
	if err != nil {
		_ = d.file.Close()
	}
	return err
}

// Close ends the source. What has come is left to who reads it, who may be behind or have
// to begin still: the ring that takes its place need not have it.
func (d *directSocket) Close() error {
	if !d.isRead() {
		return d.packetSocket.Close()
	}
	_ = d.packetSocket.control(passNothing)
	_, _ = d.Stats() // for the last time
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ended {
		return nil
	}
	d.ended = true
	return d.file.SetReadDeadline(time.Now())
}

func (d *directSocket) isRead() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.read
}

// receive makes what has come the last packet.
func (d *directSocket) receive(fd int) error {
	n, controls, _, from, err := unix.Recvmsg(fd, d.data, d.control[:], unix.MSG_TRUNC|unix.MSG_DONTWAIT)
	if err != nil {
		return err
	}
	d.packet = Packet{
		Data: d.data[:min(n, len(d.data))], Length: n, LinkType: LinkRaw, Time: receivedAt(d.control[:controls]),
	}
	if address, ok := from.(*unix.SockaddrLinklayer); ok {
		d.packet.InterfaceID = address.Ifindex
	}
	return nil
}

// receivedAt reads when the kernel took in a packet (SO_TIMESTAMPNS, socket(7)).
// Without that it is now.
func receivedAt(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Now()
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SCM_TIMESTAMPNS {
			if at, ok := timespec(m.Data); ok {
				return at
			}
		}
	}
	return time.Now()
}
