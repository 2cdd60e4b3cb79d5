package capture

import (
	"encoding/binary"
	"time"

	"imds-analyzer/imds"
)

// TCP flags (RFC 9293, section 3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
)

// direction is one of the two directions of a connection.
type direction uint8

const (
	up   direction = iota // from the client to the service
	down                  // from the service to the client
)

// segment is a TCP segment to or from a metadata service.
type segment struct {
	time      time.Time
	direction direction
	key       flowKey // of its tuple, but for the network, which the Analyzer adds
	seq, ack  uint32
	flags     uint8
	window    int
	// payload is what was captured; missing is the number of bytes behind it
	// that the snaplen cut off.
	payload []byte
	missing int
	// whole is the packet's length with what the snaplen cut off, of headers too,
	// from its link-layer header on.
	whole int
	// headless is true if the packet goes to a service's address, or may, and the snaplen
	// cut it before the end of its TCP header: it is no segment, and may hold data.
	headless bool
	// scale is the window scale option of a SYN, timestamp the TSval, 0 if
	// there is none (RFC 7323).
	scale     uint8
	timestamp uint32

	hopLimit  uint8
	id        uint32 // of the IPv4 packet
	at        hop
	named     string // the interface's name
	network   string // the network namespace's
	note      *imds.Note
	linkKnown bool // the link-layer header says who sent the packet
	joined    bool // it came in fragments: payload is not in the packet
}

// has reports whether one of the flags is set.
func (s *segment) has(flags uint8) bool { return s.flags&flags != 0 }

// length is the number of payload bytes on the wire.
func (s *segment) length() int { return len(s.payload) + s.missing }

// minTCPHeader is the length of a TCP header without options.
const minTCPHeader = 20

// parseTCP fills in a segment from a TCP header and what follows it.
func (s *segment) parseTCP(d *datagram) bool {
	data := d.payload
	if len(data) < minTCPHeader {
		return false
	}
	header := int(data[12]>>4) * 4
	if header < minTCPHeader || d.length < header {
		return false
	}
	s.seq = binary.BigEndian.Uint32(data[4:])
	s.ack = binary.BigEndian.Uint32(data[8:])
	s.flags = data[13]
	s.window = int(binary.BigEndian.Uint16(data[14:]))
	captured := min(header, len(data))
	s.parseOptions(data[minTCPHeader:captured])
	s.payload = data[captured:]
	s.missing = d.length - header - len(s.payload)
	s.hopLimit, s.id = d.hopLimit, d.id
	return true
}

// TCP option kinds (IANA).
const (
	optionEnd           = 0
	optionNop           = 1
	optionMaxSegment    = 2
	optionScale         = 3
	optionSACKPermitted = 4
	optionTimestamp     = 8
)

// usualOptions are what segments begin their options with that have nothing but a timestamp:
// two NOPs, its kind and its length (RFC 7323, appendix A).
const usualOptions = "\x01\x01\x08\x0a"

func (s *segment) parseOptions(options []byte) {
	if len(options) == len(usualOptions)+8 && string(options[:4]) == usualOptions {
		s.timestamp = binary.BigEndian.Uint32(options[4:])
		return
	}
	for len(options) > 0 && options[0] != optionEnd {
		if options[0] == optionNop {
			options = options[1:]
			continue
		}
		if len(options) < 2 || options[1] < 2 || int(options[1]) > len(options) {
			return
		}
		value := options[2:options[1]]
		switch {
		case options[0] == optionScale && len(value) == 1:
			s.scale = min(value[0], 14) // RFC 7323, section 2.3
		case options[0] == optionTimestamp && len(value) == 8:
			s.timestamp = binary.BigEndian.Uint32(value)
		}
		options = options[options[1]:]
	}
}

// before reports whether sequence number a comes before b, modulo 2^32.
func before(a, b uint32) bool { return int32(a-b) < 0 }
