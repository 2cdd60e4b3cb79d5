//go:build cgo

package capture

import (
	"fmt"
	"io"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ringSize is that of a ring, in blocks. A block is handed over when it is full or
// PayloadDelay old.
type ringSize struct{ blockBytes, blocks int }

func (s ringSize) bytes() int { return s.blockBytes * s.blocks }

// namespaceRing has 256 KiB, of the 8 MiB that the host's own handle has, because there
// is one in each network namespace that is captured. A reader that is held up loses
// nothing for 0.4 s where little comes, and an instance exchanges 1,024 packets a second
// with the service at most. Blocks of twice the size would be twice the memory, for
// packets of segmentation offload that are longer than ringLongest: no call of the service
// has any. Their ends are cut off, as by a snaplen.
func namespaceRing() ringSize { return ringSize{64 << 10, 4} }

// ringLongest is the longest packet that fits in a block, without the header of its link:
// 64 KiB less the block's header, rounded up to 48 bytes, and the frame's, its address and
// room for a link's, rounded up to 96 (tpacket_rcv, net/packet/af_packet.c).
const ringLongest = 64<<10 - 48 - 96

// payloadRing is as large as the host's own handle of libpcap.
func payloadRing() ringSize { return ringSize{256 << 10, payloadBuffer / (256 << 10)} }

// ringFrame has to divide the size of a block, and says no more: frames are as long as
// their packets.
const ringFrame = 2 << 10

// ring reads packets out of memory that it shares with the kernel.
type ring struct {
	*packetSocket
	size   ringSize
	memory []byte // nil once it is read to its end
	block  int    // that comes next
	open   ringBlock
	held   bool   // open is ours
	packet Packet // the last one
	buffer []byte // of its data
}

func openRing(s *packetSocket) (*ring, error) {
	r := &ring{packetSocket: s, size: namespaceRing()}
	if err := s.open(r.share); err != nil {
		r.unmap()
		return nil, err
	}
	return r, nil
}

// Close ends the source. The memory keeps the socket, and with it the network
// namespace: it is given back here, or by Next at its end if that is called.
func (r *ring) Close() error {
	err := r.packetSocket.Close()
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.read {
		r.unmap()
	}
	return err
}

func (r *ring) share(fd int) (err error) {
	request := unix.TpacketReq3{
		Block_size: uint32(r.size.blockBytes), Block_nr: uint32(r.size.blocks),
		Frame_size: ringFrame, Frame_nr: uint32(r.size.bytes() / ringFrame),
		Retire_blk_tov: uint32(PayloadDelay.Milliseconds()),
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_VERSION, unix.TPACKET_V3); err != nil {
		return fmt.Errorf("choose TPACKET_V3: %w", err)
	}
	if err := unix.SetsockoptTpacketReq3(fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &request); err != nil {
		return fmt.Errorf("make a ring of %d KiB: %w", r.size.bytes()>>10, err)
	}
	if r.memory, err = unix.Mmap(fd, 0, r.size.bytes(), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return fmt.Errorf("map a ring: %w", err)
	}
	return nil
}

func (r *ring) unmap() {
	if r.memory != nil {
		_ = unix.Munmap(r.memory)
		r.memory = nil
	}
}

// Next waits for the next packet. After Close it hands out what the kernel has
// handed over, and then ends.
func (r *ring) Next() (*Packet, error) {
	if !r.begin() {
		return nil, io.EOF
	}
	for {
		if r.held {
			p, ok, err := r.open.frame(r.buffer)
			if err != nil {
				r.unmap()
				return nil, r.failed(err)
			}
			if ok {
				r.packet, r.buffer = p, p.Data
				return r.placed(&r.packet), nil
			}
			r.giveBack()
		}
		if err := r.take(); err != nil {
			r.unmap()
			return nil, err
		}
	}
}

// begin reports whether there is memory to read still.
func (r *ring) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.read = true
	return r.memory != nil
}

// status is the word that says whether the next block is the kernel's or ours.
func (r *ring) status() *uint32 {
	return (*uint32)(unsafe.Pointer(&r.memory[r.block*r.size.blockBytes+blockStatusAt]))
}

func (r *ring) isOurs(int) bool { return atomic.LoadUint32(r.status())&unix.TP_STATUS_USER != 0 }

// take waits until the next block is ours. The error is io.EOF if there will be
// none any more.
func (r *ring) take() error {
	if err := r.wait(r.isOurs); err != nil && !r.isOurs(0) {
		return io.EOF
	}
	var err error
	start := r.block * r.size.blockBytes
	if r.open, err = openBlock(r.memory[start : start+r.size.blockBytes]); err != nil {
		return r.failed(err)
	}
	r.held = true
	return nil
}

func (r *ring) giveBack() {
	r.held = false
	atomic.StoreUint32(r.status(), unix.TP_STATUS_KERNEL)
	r.block = (r.block + 1) % r.size.blocks
}
