// Package imds describes calls to the Amazon EC2 instance metadata service:
// what a call is made of, and which version of the service's protocol it uses.
//
// It is the glossary of the program. Everything in it is data; it does no I/O.
package imds

import (
	"net/netip"
	"time"
)

// Conn is one TCP connection from a client to the metadata service.
type Conn struct {
	// ID tells this connection from every other one of the same run, also
	// from later ones that reuse its tuple.
	ID uint64
	// Client and Service are the ends as the client's own host sees them,
	// before any network address translation.
	Client, Service netip.AddrPort
	// Interface is the name of the interface nearest to the client that the
	// connection was seen on, empty where the capture does not tell.
	Interface string
	// Network names the network namespace nearest to the client that the
	// connection was captured in (namespaces(7)), empty for the program's own.
	Network string
	// Opened is the capture time of the first packet seen.
	Opened time.Time
	// Handshake is true if the client's SYN was seen, so that the capture
	// holds the connection from its start.
	Handshake bool
}

// Request is what was seen of a request's head, without anything secret: the
// token's value has no field, and what else looks like a secret is redacted.
type Request struct {
	// Time is the capture time of the packet that holds the first byte.
	Time time.Time
	// Note is what the capture says of who sent that packet or, where it says
	// nothing, of who sent the client's last one before it; nil if of none.
	Note *Note
	// Method and Target are the request line's (RFC 9112, section 3), empty
	// if the capture starts after them.
	Method, Target string
	// Proto is the HTTP version, such as "1.1".
	Proto string
	// Host and UserAgent are the values of the fields of those names.
	Host, UserAgent string
	// TokenHeader is true if a field X-aws-ec2-metadata-token was seen,
	// whatever its value.
	TokenHeader bool
	// TTLHeader is true if a field X-aws-ec2-metadata-token-ttl-seconds was
	// seen; TTLSeconds is its value, 0 if that is no positive number.
	TTLHeader  bool
	TTLSeconds int
	// Token is what the value of X-aws-ec2-metadata-token looks like.
	Token TokenValue
	// ForwardedFor is true if a field X-Forwarded-For was seen; ForwardedClient
	// is its value, by which the clients of one proxy are told apart.
	ForwardedFor    bool
	ForwardedClient string
	// ExpectContinue is true if the client waits for a 100 (Continue) before it
	// sends the request's body (RFC 9110, section 10.1.1).
	ExpectContinue bool
	// Shape is a number made of the names of the header fields, in their order and
	// spelling, without those that only token requests or bodies have: requests by
	// the same HTTP client have the same. It is 0 if the head was not seen whole.
	Shape uint64
	// Incomplete says why the head was not seen whole.
	Incomplete Incomplete
}

// Response is what was seen of a final response's head (RFC 9110, section 15:
// not an interim 1xx one).
type Response struct {
	// Time is the capture time of the packet that holds the first byte.
	Time time.Time
	// Status is the status code.
	Status int
	// HopLimit is the IPv4 TTL or IPv6 hop limit of that packet as captured,
	// farthest from the client where it was seen in several places.
	HopLimit uint8
	// HopLimitNeeded is the least HopLimit with which the packet reaches the client
	// from there, 0 if that is not known, or no router lies between. It is only looked
	// for where the response was not delivered.
	HopLimitNeeded uint8
	// Server is the value of the field of that name. The service's own is EC2ws.
	Server string
	// Delivery is whether the response has come to the client. It is only looked
	// at for answers to token requests.
	Delivery Delivery
}

// Delivery is whether the client has got a response.
type Delivery uint8

// The deliveries. Acknowledged: the client has acknowledged it. NotDelivered: it was
// sent again, or the client asked again or gave up, or a router said that its hop
// limit was exceeded, and the client has never acknowledged it.
const (
	DeliveryUnknown Delivery = iota
	Acknowledged
	NotDelivered
)

// TokenValue is what the value of a token's field looks like; the value itself is
// kept nowhere.
type TokenValue uint8

// The looks of a token. NoToken: there is no field, or its value was not seen whole.
// NotAToken: it holds what no token can, such as blanks or markup; an error page was
// taken for one.
const (
	NoToken TokenValue = iota
	EmptyToken
	NotAToken
	OpaqueToken
)

// Call is one request to the metadata service and what became of it.
type Call struct {
	Conn    Conn
	Request Request
	// Response is nil if no final response was seen.
	Response *Response
	// Reset is true if, before any response, the service reset the connection.
	Reset bool
	// Unanswered is true for a token request to which no response had come when its
	// client may have gone on without: the connection was closed, or the shortest
	// time-out of SDKs was over. That there is no Response does not say so: the capture
	// may have ended before, or lack it.
	Unanswered bool
}

// Note is what a capture itself says of who sent a packet: it was written by
// another program, and nothing of it is proven.
type Note struct {
	// Comment is the packet's comment; several are joined by line ends.
	Comment string
	// Inbound is true if the packet came in from outside the host that captured it,
	// or from a guest of that: then whoever ran there need not have sent it.
	Inbound bool
	Sender  Sender
}

// Size is about what a note takes, in bytes; of none it is 0.
func (n *Note) Size() int {
	if n == nil {
		return 0
	}
	return len(n.Comment) + len(n.Sender.Name) + len(n.Sender.ForName)
}

// Sender is the process that an operating system names as a packet's. PID is 0 if
// none is named, ForPID if it acts for itself.
type Sender struct {
	PID     int
	Name    string
	ForPID  int // the process on whose behalf it acts
	ForName string
}
