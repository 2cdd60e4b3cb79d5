package capture

import (
	"errors"
	"time"

	"imds-analyzer/imds"
)

// LinkType is a link-layer header type as capture files name it
// (https://www.tcpdump.org/linktypes.html).
type LinkType int

// The link types that the decoder knows.
const (
	LinkNull     LinkType = 0
	LinkEthernet LinkType = 1
	LinkRawBSD   LinkType = 12
	LinkRawOpen  LinkType = 14
	LinkRaw      LinkType = 101
	LinkLoop     LinkType = 108
	LinkLinuxSLL LinkType = 113
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkNFLOG    LinkType = 239
	LinkPktap    LinkType = 258
	// LinkUser2 is for private use. Apple's tcpdump writes LinkPktap as this.
	LinkUser2     LinkType = 149
	LinkLinuxSLL2 LinkType = 276
)

// Packet is one captured packet.
type Packet struct {
	// Data is the packet from its link-layer header on, as far as it was
	// captured.
	Data []byte
	// Length is the packet's length on the wire in bytes, at least len(Data).
	Length int
	// Time is the capture time.
	Time time.Time
	// LinkType is the type of Data's first header.
	LinkType LinkType
	// InterfaceID tells the interfaces of one source apart; Interface is the
	// interface's name, empty if the source does not say.
	InterfaceID int
	Interface   string
	// Network names the network namespace that the packet was captured in, as
	// /proc/PID/ns/net does (namespaces(7)); empty for the one that the program
	// runs in, and for files of other programs.
	Network string
	// Comment is the packet's comment where the source carries one.
	Comment string
	// Inbound is true if the source says that the packet was received.
	Inbound bool
	// Sender is who sent or received the packet where the source says so.
	Sender *imds.Sender
}

// isCut reports whether the snaplen has cut the packet.
func (p *Packet) isCut() bool { return len(p.Data) < p.Length }

// Source hands out packets in the order in which they were captured.
type Source interface {
	// Next returns the next packet, which is valid, with its data, until the next call of
	// Next; until then it is the caller's to change. At the end of a whole source the error
	// is io.EOF; ErrTruncated and ErrDamaged say that the source ended before it should
	// have. After an error Next is not called again.
	Next() (*Packet, error)
	// Close releases what the source holds.
	Close() error
}

// Errors of sources, for callers that tell damage from absence.
var (
	// ErrNotCapture: the input is in no capture format that is known.
	ErrNotCapture = errors.New("not a capture file")
	// ErrTruncated: the input ends inside a packet or block.
	ErrTruncated = errors.New("the capture is cut off")
	// ErrDamaged: a length or type in the input cannot be right.
	ErrDamaged = errors.New("the capture is damaged")
)
