// Package capture turns packets into calls to the metadata service: it opens
// live handles and capture files, decodes packets, puts the TCP connections
// together again and reads the HTTP heads in them.
package capture

import (
	"net/netip"
	"time"

	"imds-analyzer/imds"
)

// Handler receives what an Analyzer finds, in the goroutine that feeds it.
type Handler interface {
	// Opened is called at the first packet of a connection.
	Opened(imds.Conn)
	// Call is called once for each call, as soon as nothing more can be
	// learned of it: at its response, or when there can be none any more.
	Call(imds.Call)
	// Closed is called when a connection has ended and all its calls were
	// handed over.
	Closed(imds.Conn)
}

// Analyzer finds the calls to the metadata service in a stream of packets. It
// is not safe for concurrent use: one goroutine owns it and all its flows.
type Analyzer struct {
	endpoints []netip.AddrPort
	handler   Handler
}

// NewAnalyzer returns an Analyzer that looks for calls to the endpoints.
func NewAnalyzer(endpoints []netip.AddrPort, limits Limits, handler Handler) *Analyzer {
	return &Analyzer{endpoints: endpoints, handler: handler}
}

// Packet takes in the next packet. Its time moves the Analyzer's clock.
func (a *Analyzer) Packet(p Packet) {}

// Tick moves the clock forward to now, the capture's time, when no packet does.
func (a *Analyzer) Tick(now time.Time) {}

// Flush hands over what is still open, as at the end of the capture.
func (a *Analyzer) Flush() {}

// Limits bound what an Analyzer keeps.
type Limits struct{}

// LiveLimits and OfflineLimits are the presets.
func LiveLimits() Limits    { return Limits{} }
func OfflineLimits() Limits { return Limits{} }
