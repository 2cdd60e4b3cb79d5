package capture

import (
	"errors"
	"net/netip"
	"time"
)

// AnyInterface captures on all interfaces, also on those that come later.
const AnyInterface = "any"

// Errors of live capture.
var (
	// ErrPermission: the process lacks the capability CAP_NET_RAW.
	ErrPermission = errors.New("no permission to capture packets")
	// ErrNoInterface: there is no interface of that name.
	ErrNoInterface = errors.New("no such interface")
	// ErrNotUp: the interface is down.
	ErrNotUp = errors.New("the interface is down")
	// ErrNoRoute: a network namespace has no way to the service, or not yet.
	ErrNoRoute = errors.New("no route to the service")
	// ErrGone: an interface that is captured is not there any more. Nothing of it is
	// captured until it is back.
	ErrGone = errors.New("the interface is gone")
	// ErrNoLive: this build has no libpcap in it.
	ErrNoLive = errors.New("this build has no libpcap in it and cannot capture")
)

// LiveOptions say what to capture.
type LiveOptions struct {
	// Interface is an interface's name or AnyInterface.
	Interface string
	Endpoints []netip.AddrPort
	// SYNTap asks for nothing but the first segment of each connection, at
	// once. Without it everything comes, within about PayloadDelay.
	SYNTap bool
	// Early is for OpenNamespace alone. It asks for packets at once, with little
	// room for them: for the time that opening another source takes.
	Early bool
	// Changed is for OpenLive alone. It is called, in another goroutine and one after the
	// other, when an interface that is captured by its name is gone, with an error that is
	// ErrGone, and with nil when one of that name is captured again. nil for nobody. Where
	// interfaces are not followed so, as on other systems than Linux, the source ends.
	Changed func(error)
}

// PayloadDelay is how long packets wait for others before they are handed over.
const PayloadDelay = 100 * time.Millisecond

// LiveStats are the kernel's counts of a live source (pcap_stats(3PCAP)).
type LiveStats struct {
	// Received is the number of packets that passed the filter.
	Received uint64
	// Dropped is the number of those that found no room in the buffer,
	// DroppedByInterface that of packets that the interface or driver dropped.
	Dropped, DroppedByInterface uint64
}

// LiveSource is a Source of packets as they pass.
type LiveSource interface {
	Source
	// Stats may be called at any time before Close.
	Stats() (LiveStats, error)
	// Filter is the filter in use, in the language of pcap-filter(7).
	Filter() string
}

// The sizes of live handles.
const (
	// payloadSnaplen takes packets whole, those of segmentation offload too: 65,535 bytes of
	// IP (RFC 791, section 3.1), with room for the header of a link before them.
	payloadSnaplen = 65535 + 64
	// payloadBuffer holds 300 ms of 100,000 packets a second, measured.
	payloadBuffer = 8 << 20
	// tapSnaplen is room for a SYN: link, IPv6 and TCP header with all
	// options are 20+40+60 bytes. In immediate mode libpcap reserves it for
	// each packet (TPACKET_V2), rounded up to a power of two with a header of
	// the kernel's: 512 KiB are some 2,000 SYNs.
	tapSnaplen = 128
	tapBuffer  = 512 << 10
)
