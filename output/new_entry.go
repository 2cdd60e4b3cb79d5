package output

import (
	"net/netip"
	"strconv"
	"strings"
	"time"

	"imds-analyzer/imds"
)

// Datasets of the log's entries.
const (
	DatasetCall    = "imds.call"
	DatasetCapture = "imds.capture"
)

// Values of log.level.
const (
	levelInfo    = "info"
	levelWarning = "warning"
)

// NewEntry returns the log entry of a record, written on the host.
func NewEntry(r Record, h Host) (e Entry) {
	new(Callers).Describe(&e, &r, &h)
	return e
}

// Describe makes the log entry of a record, written on the host. Neither is changed, and
// nothing of what was in the entry before is left.
func (c *Callers) Describe(e *Entry, r *Record, h *Host) {
	call := r.Call
	c.texts.clean(&call)
	version := call.Request.Version()
	*e = Entry{}
	e.Timestamp = timestamp(call.Request.Time)
	e.LogLevel = level(version)
	e.ECS.Version = ecsVersion
	e.Event = callEvent(&call, version)
	e.IMDS.describe(&call, version, &c.texts)
	e.HTTP = HTTP{Request: HTTPRequest{Method: call.Request.Method}, Version: call.Request.Proto}
	e.URL = callURL(&call.Request)
	e.UserAgent.Original = call.Request.UserAgent
	e.Source = address(call.Conn.Client)
	e.Destination = address(call.Conn.Service)
	e.Network = Network{Type: networkType(call.Conn.Service.Addr()), Transport: "tcp"}
	e.Observer.Ingress.Interface.Name = call.Conn.Interface
	e.HostFields = h.fields()
	if call.Response != nil {
		e.HTTP.Response.StatusCode = call.Response.Status
	}
	e.attribute(&r.Answer)
	e.madeBy(c.of(&r.Answer, &r.Identity))
	e.Diagnose(&r.Diagnosis)
	e.Event.Sequence = r.Sequence
}

// timestamp returns the time in UTC, and none where RFC 3339 cannot write it:
// damaged captures have times in years of five digits.
func timestamp(t time.Time) time.Time {
	const lastYear = 9999
	if t = t.UTC(); t.Year() < 0 || t.Year() > lastYear {
		return time.Time{}
	}
	return t
}

// level is warning for what may have to change before version 1 is disabled.
func level(v imds.Version) string {
	if v == imds.V2 {
		return levelInfo
	}
	return levelWarning
}

func callEvent(call *imds.Call, version imds.Version) Event {
	return Event{
		Kind:     "event",
		Category: [...]string{"network"},
		Type:     [...]string{"access"},
		Module:   "imds",
		Dataset:  DatasetCall,
		Action:   action(&call.Request, version),
		Outcome:  outcome(call),
		Duration: duration(call),
	}
}

// Values of event.action for calls.
const (
	actionV1      = "imds-v1-request"
	actionV2      = "imds-v2-request"
	actionToken   = "imds-v2-token-request"
	actionUnknown = "imds-unknown-request"
)

// IsTokenRequest reports whether the call is one for a token.
func (e *Entry) IsTokenRequest() bool { return e.Event.Action == actionToken }

func action(r *imds.Request, version imds.Version) string {
	switch {
	case version == imds.V1:
		return actionV1
	case version == imds.VersionUnknown:
		return actionUnknown
	case r.IsTokenRequest():
		return actionToken
	}
	return actionV2
}

// Values of event.outcome.
const (
	outcomeSuccess = "success"
	outcomeFailure = "failure"
	outcomeUnknown = "unknown"
)

func outcome(call *imds.Call) string {
	switch {
	case call.Response != nil && call.Response.Status < 400:
		return outcomeSuccess
	case call.Response != nil || call.Reset:
		return outcomeFailure
	}
	return outcomeUnknown
}

// duration is the time to the response's first byte, unknown where clocks of
// several interfaces contradict each other, and where packets have no times.
func duration(call *imds.Call) *int64 {
	if call.Response == nil || call.Request.Time.IsZero() || call.Response.Time.Before(call.Request.Time) {
		return nil
	}
	return new(int64(call.Response.Time.Sub(call.Request.Time)))
}

func (i *IMDS) describe(call *imds.Call, version imds.Version, texts *cleanTexts) {
	r := &call.Request
	i.Version = version.String()
	i.TokenRequest = tokenRequest(r)
	i.TokenTTLSeconds = r.TTLSeconds
	if r.Target != "" {
		i.Credentials = new(r.DeliversCredentials())
	}
	if r.ForwardedFor || r.Incomplete == imds.Whole {
		i.ForwardedFor = new(r.ForwardedFor)
	}
	if version == imds.VersionUnknown {
		i.Incomplete = r.Incomplete.String()
	}
	if call.Response != nil {
		i.ResponseTTL = int(call.Response.HopLimit)
		i.ResponseTTLNeeded = int(call.Response.HopLimitNeeded)
		i.Server = texts.redact(call.Response.Server)
	}
}

// tokenRequest is nil if what was seen of the head does not tell.
func tokenRequest(r *imds.Request) *bool {
	asks := r.IsTokenRequest()
	other := r.Method != "" && r.Method != "PUT"
	if asks || other || r.Incomplete == imds.Whole {
		return &asks
	}
	return nil
}

func callURL(r *imds.Request) URL {
	return URL{Original: r.Target, Path: r.Path(), Query: r.Query(), Domain: domain(r.Host)}
}

// domain returns the Host field's value without the port (RFC 9110, section
// 7.2); an IPv6 address keeps its brackets, as ECS has it.
func domain(host string) string {
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") {
		return host
	}
	if _, err := strconv.ParseUint(host[colon+1:], 10, 16); err != nil && host[colon+1:] != "" {
		return host
	}
	return host[:colon]
}

func address(a netip.AddrPort) Address {
	return Address{IP: a.Addr().Unmap(), Port: a.Port()}
}

func networkType(a netip.Addr) string {
	if a.Unmap().Is4() {
		return "ipv4"
	}
	return "ipv6"
}
