//go:build cgo

package capture

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"

	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcap"
	"golang.org/x/sys/unix"
)

// OpenNamespace opens all interfaces of the network namespace that the calling
// thread is in, and that network names: each of its packets says so. For an address of the
// service that is inside, it is the loopback interface alone: what comes by others is from
// clients elsewhere. The error that callers tell from others is ErrPermission.
func OpenNamespace(options LiveOptions, network string) (LiveSource, error) {
	filter := options.filter()
	s := &packetSocket{network: network, names: interfaceNames(), filter: filter(options.Endpoints), elsewhere: filter(Outside(options.Endpoints))}
	var source LiveSource
	var err error
	switch {
	case options.SYNTap:
		source, err = openSYNSocket(s)
	case options.Early:
		source, err = openDirect(s, payloadSnaplen, earlyRoom)
	default:
		source, err = openRing(s)
	}
	if err != nil {
		return nil, fmt.Errorf("cannot capture in the network namespace %s: %w", network, err)
	}
	return source, nil
}

// filter makes the filter for endpoints, "" for none.
func (o LiveOptions) filter() func([]netip.AddrPort) string {
	if o.SYNTap {
		return synFilter
	}
	return Filter
}

// earlyRoom is asked for to be let have what the system allows
// (net.core.rmem_max, socket(7)): twice 208 KiB, some 300 packets of the 10 to a
// call.
const earlyRoom = 1 << 20

// packetSocket captures on all interfaces of one network namespace (packet(7)).
// Other than a handle of libpcap it can be closed at any time, and takes no
// thread while it waits: there can be a hundred.
type packetSocket struct {
	file      *os.File
	filter    string
	elsewhere string // the filter for other interfaces than loopback, "" to have nothing of them
	network   string
	names     map[int]string // of interfaces

	mu    sync.Mutex // guards what follows
	stats LiveStats
	ended bool // nothing more comes
	read  bool // by somebody, who has what came before that
}

// willBeRead says that somebody reads the source to its end: what has come when it is
// closed is kept until then.
func (s *packetSocket) willBeRead() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.read = true
}

func interfaceNames() map[int]string {
	names := make(map[int]string)
	interfaces, _ := net.Interfaces() // without names there is no less to capture
	for _, i := range interfaces {
		names[i.Index] = i.Name
	}
	return names
}

// open makes the socket, and has prepare do what comes before its first packet.
func (s *packetSocket) open(prepare func(fd int) error) error {
	return s.make(func(fd int) error {
		if err := prepare(fd); err != nil {
			return err
		}
		return bind(fd, allInterfaces)
	})
}

// make makes the socket. Nothing comes before it is bound.
func (s *packetSocket) make(prepare func(fd int) error) error {
	// Protocol 0: nothing comes before the socket is bound.
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
	if errors.Is(err, unix.EPERM) {
		return ErrPermission
	}
	if err != nil {
		return fmt.Errorf("open a packet socket: %w", err)
	}
	if err = s.attachFilter(fd); err == nil {
		err = prepare(fd)
	}
	if err != nil {
		unix.Close(fd)
		return err
	}
	s.file = os.NewFile(uintptr(fd), s.network)
	return nil
}

// allInterfaces is in the place of an interface's number (packet(7)).
const allInterfaces = 0

// bind has the packets of an interface come from now on, in the place of another's. It
// takes no privilege.
func bind(fd, index int) error {
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ALL), Ifindex: index}); err != nil {
		return fmt.Errorf("bind a packet socket: %w", err)
	}
	return nil
}

func networkOrder(n uint16) uint16 { return n<<8 | n>>8 }

// linkRaw is libpcap's own number for packets without a link-layer header, which
// differs from that in files (pcap/dlt.h).
const linkRaw = layers.LinkType(12)

// attachFilter has the kernel hand over what is to be captured only.
func (s *packetSocket) attachFilter(fd int) error {
	program, err := compile(s.filter)
	if err != nil {
		return err
	}
	if s.elsewhere != s.filter {
		elsewhere, err := compile(s.elsewhere)
		if err != nil {
			return err
		}
		program = slices.Concat(onLoopback(len(elsewhere)), elsewhere, program)
	}
	return attach(fd, program)
}

// passNothing has the kernel hand over nothing more.
func passNothing(fd int) error {
	program, err := compile("")
	if err != nil {
		return err
	}
	return attach(fd, program)
}

func attach(fd int, program []unix.SockFilter) error {
	attached := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &attached); err != nil {
		return fmt.Errorf("attach the filter: %w", err)
	}
	return nil
}

// compile has "" let nothing pass, other than libpcap.
func compile(filter string) ([]unix.SockFilter, error) {
	if filter == "" {
		return []unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K}}, nil
	}
	program, err := pcap.CompileBPFFilter(linkRaw, payloadSnaplen, filter)
	if err != nil {
		return nil, fmt.Errorf("compile the filter: %w", err)
	}
	instructions := make([]unix.SockFilter, len(program))
	for i, p := range program {
		instructions[i] = unix.SockFilter{Code: p.Code, Jt: p.Jt, Jf: p.Jf, K: p.K}
	}
	return instructions, nil
}

// onLoopback passes over so many instructions for what is sent on the loopback interface.
// The socket is not bound to that: it would fail when the interface goes down.
func onLoopback(over int) []unix.SockFilter {
	const (
		interfaceIndex = 0xfffff000 + 8 // SKF_AD_OFF and SKF_AD_IFINDEX (linux/filter.h)
		loopback       = 1              // in every network namespace (LOOPBACK_IFINDEX, net/flow.h)
	)
	return []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: interfaceIndex},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: loopback},
		{Code: unix.BPF_JMP | unix.BPF_JA, K: uint32(over)},
	}
}

// wait calls ready, with the descriptor, until it returns true: again each time
// that something has come. An error says that the socket was closed.
func (s *packetSocket) wait(ready func(fd int) bool) error {
	raw, err := s.file.SyscallConn()
	if err != nil {
		return err
	}
	return raw.Read(func(fd uintptr) bool { return ready(int(fd)) })
}

// placed adds where the packet is from.
func (s *packetSocket) placed(p *Packet) *Packet {
	p.Interface, p.Network = s.names[p.InterfaceID], s.network
	return p
}

func (s *packetSocket) failed(err error) error {
	return fmt.Errorf("capture in the network namespace %s ended: %w", s.network, err)
}

// Stats adds to what was counted before: the kernel's counts start over each
// time that they are read (packet(7), PACKET_STATISTICS).
func (s *packetSocket) Stats() (LiveStats, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return s.stats, nil
	}
	raw, err := s.file.SyscallConn()
	if err != nil {
		return s.stats, err
	}
	var counted *unix.TpacketStats
	var refused error
	err = raw.Control(func(fd uintptr) {
		counted, refused = unix.GetsockoptTpacketStats(int(fd), unix.SOL_PACKET, unix.PACKET_STATISTICS)
	})
	if err := errors.Join(err, refused); err != nil {
		return s.stats, fmt.Errorf("no counts from the kernel: %w", err)
	}
	s.stats.Received += uint64(counted.Packets)
	s.stats.Dropped += uint64(counted.Drops)
	return s.stats, nil
}

func (s *packetSocket) Filter() string { return s.filter }

// Close ends the source, which keeps its network namespace until then. A Next
// that waits returns.
func (s *packetSocket) Close() error {
	_, _ = s.Stats() // for the last time
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return nil
	}
	s.ended = true
	return s.file.Close()
}
