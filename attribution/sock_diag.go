package attribution

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"syscall"
)

// The messages of sock_diag(7), from linux/netlink.h, linux/sock_diag.h and
// linux/inet_diag.h. Numbers are in the machine's byte order, ports and
// addresses in the network's.
const (
	sockDiagByFamily = 20
	nlmsgError       = 2
	nlmsgDone        = 3

	nlmFRequest = 0x1
	nlmFDump    = 0x300

	familyIPv4  = 2
	familyIPv6  = 10
	protocolTCP = 6
	stateListen = 10
	anyState    = ^uint32(0)
	anyCookie   = ^uint64(0)

	netlinkHeaderLen = 16
	diagRequestLen   = netlinkHeaderLen + 56 // struct inet_diag_req_v2
	diagSocketLen    = 72                    // struct inet_diag_msg
)

// diagSocket is a socket as the kernel describes it.
type diagSocket struct {
	tuple Tuple
	state uint8
	uid   uint32 // of the process that made the socket
	inode uint64 // 0 if no descriptor holds the socket any more
}

// errShortReply says that a message is cut off.
var errShortReply = errors.New("sock_diag: the reply is too short")

// diagLookUp returns the request for the one TCP socket with the tuple, as
// seen from the interface with the index. With index 0 the kernel finds only
// sockets that are not bound to an interface (SO_BINDTODEVICE, socket(7)), with
// another one those and the ones bound to it.
//
// An IPv4 connection is asked for as such, whatever family its socket is of:
// established sockets are found by their IPv4 addresses, which an IPv6 socket
// with mapped ones has too.
func diagLookUp(t Tuple, interfaceIndex, sequence uint32) []byte {
	b := diagRequest(nlmFRequest, familyOf(t.Local.Addr()), anyState, sequence)
	id := b[netlinkHeaderLen+8:]
	binary.BigEndian.PutUint16(id[0:], t.Local.Port())
	binary.BigEndian.PutUint16(id[2:], t.Remote.Port())
	copy(id[4:20], t.Local.Addr().AsSlice())
	copy(id[20:36], t.Remote.Addr().AsSlice())
	binary.NativeEndian.PutUint32(id[36:], interfaceIndex)
	binary.NativeEndian.PutUint64(id[40:], anyCookie)
	return b
}

// diagProbe returns a request that lists the sockets in none of the states: it
// only asks whether the kernel can answer.
func diagProbe(sequence uint32) []byte {
	return diagRequest(nlmFRequest|nlmFDump, familyIPv4, 0, sequence)
}

func diagRequest(flags uint16, family uint8, states, sequence uint32) []byte {
	b := make([]byte, diagRequestLen)
	binary.NativeEndian.PutUint32(b[0:], diagRequestLen)
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint16(b[6:], flags)
	binary.NativeEndian.PutUint32(b[8:], sequence)
	b[16], b[17] = family, protocolTCP
	binary.NativeEndian.PutUint32(b[20:], states)
	return b
}

func familyOf(a netip.Addr) uint8 {
	if a.Is4() {
		return familyIPv4
	}
	return familyIPv6
}

// netlinkMessage is one message of netlink(7).
type netlinkMessage struct {
	kind     uint16
	sequence uint32
	body     []byte
}

// nextMessage splits the first message off b.
func nextMessage(b []byte) (m netlinkMessage, rest []byte, err error) {
	if len(b) < netlinkHeaderLen {
		return m, nil, errShortReply
	}
	length := binary.NativeEndian.Uint32(b)
	if length < netlinkHeaderLen || uint64(length) > uint64(len(b)) {
		return m, nil, errShortReply
	}
	m.kind = binary.NativeEndian.Uint16(b[4:])
	m.sequence = binary.NativeEndian.Uint32(b[8:])
	m.body = b[netlinkHeaderLen:length]
	aligned := min((int(length)+3)&^3, len(b))
	return m, b[aligned:], nil
}

// socket reads the message as the answer to a request. An error that the kernel
// gave is a syscall.Errno: ENOENT if there is no such socket, and also, as the
// end of a probe, if the kernel has no tcp_diag.
func (m netlinkMessage) socket() (diagSocket, error) {
	switch m.kind {
	case sockDiagByFamily:
		return parseDiagSocket(m.body)
	case nlmsgError, nlmsgDone:
		return diagSocket{}, m.status()
	}
	return diagSocket{}, fmt.Errorf("sock_diag: a message of kind %d was not asked for", m.kind)
}

// status reads the error number that ends a request; nil is success.
func (m netlinkMessage) status() error {
	if len(m.body) < 4 {
		return errShortReply
	}
	if errno := int32(binary.NativeEndian.Uint32(m.body)); errno < 0 {
		return syscall.Errno(-int64(errno))
	}
	return nil
}

func parseDiagSocket(b []byte) (diagSocket, error) {
	if len(b) < diagSocketLen {
		return diagSocket{}, errShortReply
	}
	addr, err := diagAddr(b[0])
	if err != nil {
		return diagSocket{}, err
	}
	return diagSocket{
		tuple: Tuple{
			Local:  netip.AddrPortFrom(addr(b[8:24]), binary.BigEndian.Uint16(b[4:])),
			Remote: netip.AddrPortFrom(addr(b[24:40]), binary.BigEndian.Uint16(b[6:])),
		},
		state: b[1],
		uid:   binary.NativeEndian.Uint32(b[64:]),
		inode: uint64(binary.NativeEndian.Uint32(b[68:])),
	}, nil
}

// diagAddr returns how the 16 bytes of an address of the family are read.
func diagAddr(family uint8) (func([]byte) netip.Addr, error) {
	switch family {
	case familyIPv4:
		return func(b []byte) netip.Addr { return netip.AddrFrom4([4]byte(b[:4])) }, nil
	case familyIPv6:
		return func(b []byte) netip.Addr { return netip.AddrFrom16([16]byte(b)).Unmap() }, nil
	}
	return nil, fmt.Errorf("sock_diag: a socket of family %d was not asked for", family)
}
