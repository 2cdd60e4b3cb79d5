//go:build cgo && !windows

package capture

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/gopacket/pcap"
)

// pcapSource captures with libpcap.
type pcapSource struct {
	handle *pcap.Handle
	where  string // the interface as it was asked for
	name   string // empty for all
	link   LinkType
	filter string
	packet Packet // the last one
	closed atomic.Bool

	counting sync.Mutex // guards what follows, from when libpcap is asked
	counts   pcapCounts
}

// pcapCounts makes counts that never go down of libpcap's, which have 32 bits: a flood that
// somebody sends is through with these in an hour.
type pcapCounts struct {
	last pcap.Stats
	sum  LiveStats
}

func (c *pcapCounts) add(told pcap.Stats) LiveStats {
	c.sum.Received += uint64(uint32(told.PacketsReceived) - uint32(c.last.PacketsReceived))
	c.sum.Dropped += uint64(uint32(told.PacketsDropped) - uint32(c.last.PacketsDropped))
	c.sum.DroppedByInterface = uint64(told.PacketsIfDropped) // which can begin anew with an interface
	c.last = told
	return c.sum
}

// LibpcapVersion returns libpcap's own description of itself.
func LibpcapVersion() string { return pcap.Version() }

// OpenLive opens an interface in the caller's network namespace. Errors that
// callers tell apart are ErrPermission and ErrNoInterface.
func OpenLive(options LiveOptions) (LiveSource, error) {
	if options.Interface != AnyInterface {
		if _, err := net.InterfaceByName(options.Interface); err != nil {
			return nil, fmt.Errorf("%w: %q", ErrNoInterface, options.Interface)
		}
	}
	handle, err := activate(options)
	if err != nil {
		return nil, fmt.Errorf("cannot capture on %s: %w", options.Interface, err)
	}
	s := &pcapSource{handle: handle, where: options.Interface, link: LinkType(handle.LinkType())}
	if options.Interface != AnyInterface {
		s.name = options.Interface
	}
	if s.filter, err = setFilter(handle, options, s.link); err != nil {
		handle.Close()
		return nil, fmt.Errorf("cannot capture on %s: %w", options.Interface, err)
	}
	if s.name == "" {
		return s, nil
	}
	return followName(s, options)
}

func setFilter(handle *pcap.Handle, options LiveOptions, link LinkType) (string, error) {
	filter := Filter(options.Endpoints)
	if options.SYNTap {
		filter = synFilter(options.Endpoints)
	}
	if link == LinkEthernet {
		filter = tagged(filter)
	}
	return filter, handle.SetBPFFilter(filter)
}

// Time-outs of handles. To gopacket a negative one says that reading blocks, and
// its amount is what libpcap is told; another one would be polled for.
//
// For the payload it is the time after which the kernel hands over a block that
// is not full. Each such block is one of 32, 256 KiB of the 8 MiB, whatever is
// in it: at 100 ms a reader that is held up loses nothing for 3.2 s, also where
// little comes. In immediate mode packets do not wait, and it is the time after
// which libpcap looks whether there is one.
const (
	payloadTimeout = -PayloadDelay
	tapTimeout     = -time.Hour
)

// activate opens the handle.
func activate(options LiveOptions) (*pcap.Handle, error) {
	inactive, err := pcap.NewInactiveHandle(options.Interface)
	if err != nil {
		return nil, err
	}
	defer inactive.CleanUp()
	snaplen, buffer, timeout := payloadSnaplen, payloadBuffer, payloadTimeout
	if options.SYNTap {
		snaplen, buffer, timeout = tapSnaplen, tapBuffer, tapTimeout
	}
	err = errors.Join(
		inactive.SetSnapLen(snaplen),
		inactive.SetBufferSize(buffer),
		inactive.SetImmediateMode(options.SYNTap),
		inactive.SetTimeout(timeout),
	)
	if err != nil {
		return nil, err
	}
	handle, err := inactive.Activate()
	if err != nil {
		return nil, explain(err)
	}
	return handle, nil
}

// explain tells the failures of libpcap apart, which has only words for them.
func explain(err error) error {
	text := err.Error()
	switch {
	case strings.Contains(strings.ToLower(text), "permi"):
		return ErrPermission
	case strings.Contains(text, "Not Up"):
		return ErrNotUp
	}
	return err
}

// Next waits for the next packet.
func (s *pcapSource) Next() (*Packet, error) {
	data, info, err := s.handle.ZeroCopyReadPacketData()
	if s.closed.Load() || errors.Is(err, io.EOF) {
		return nil, io.EOF
	}
	if err != nil {
		return nil, fmt.Errorf("capture on %s ended: %w", s.where, s.cause(err))
	}
	s.packet = Packet{
		Data:        data,
		Length:      max(info.Length, len(data)),
		Time:        info.Timestamp,
		LinkType:    s.link,
		InterfaceID: info.InterfaceIndex,
		Interface:   s.name,
	}
	return &s.packet, nil
}

// cause prefers libpcap's words, such as "The interface disappeared".
func (s *pcapSource) cause(err error) error {
	if detail := s.handle.Error(); detail != nil && detail.Error() != "" {
		return detail
	}
	return err
}

func (s *pcapSource) Stats() (LiveStats, error) {
	s.counting.Lock()
	defer s.counting.Unlock()
	stats, err := s.handle.Stats()
	if err != nil {
		return LiveStats{}, fmt.Errorf("no counts from the kernel: %w", err)
	}
	return s.counts.add(*stats), nil
}

func (s *pcapSource) Filter() string { return s.filter }

// Close ends the source. A Next that waits on a quiet wire cannot be woken, and
// libpcap's own closing would wait for it: the handle is left to the process's
// end then.
func (s *pcapSource) Close() error {
	s.closed.Store(true)
	return nil
}
