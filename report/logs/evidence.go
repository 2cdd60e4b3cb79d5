package logs

import (
	"cmp"
	"net/netip"
	"strconv"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// Diagnosing passes everything on, and finds out why calls were made that were logged
// before the program told: those without a number. Of others the log has what was
// found, with more evidence than a log has.
type Diagnosing struct {
	Receiver
	diagnoser *diagnosis.Diagnoser // nil before the first such call
	calls     uint64
}

// Diagnose returns a Receiver for all logs of a report, so that what has begun in one
// file explains calls in the next.
func Diagnose(to Receiver) *Diagnosing { return &Diagnosing{Receiver: to} }

// Call implements Receiver.
func (d *Diagnosing) Call(e *output.Entry) {
	if e.Event.Sequence == 0 && len(e.IMDS.Findings) == 0 {
		d.diagnose(e)
	}
	d.Receiver.Call(e)
}

func (d *Diagnosing) diagnose(e *output.Entry) {
	if d.diagnoser == nil {
		d.diagnoser = diagnosis.New()
	}
	d.calls++
	evidence := evidenceOf(e)
	evidence.Call.Conn.ID = d.calls // which requests share a connection is not logged
	if evidence.Call.Request.ForwardedFor {
		evidence.Call.Request.ForwardedClient = strconv.FormatUint(d.calls, 10) // nor for whom a proxy asks
	}
	found := d.diagnoser.Call(&evidence)
	e.Diagnose(&found)
}

// failure is the event.outcome of calls that were refused and, without a status, of those
// whose connection the service has reset.
const failure = "failure"

// evidenceOf is what an entry tells.
func evidenceOf(e *output.Entry) diagnosis.Evidence {
	return diagnosis.Evidence{
		Call: imds.Call{
			Conn: imds.Conn{
				Client:    netip.AddrPortFrom(e.Source.IP, e.Source.Port),
				Service:   netip.AddrPortFrom(e.Destination.IP, e.Destination.Port),
				Interface: e.Observer.Ingress.Interface.Name,
				Opened:    e.Timestamp,
			},
			Request:  requestOf(e),
			Response: responseOf(e),
			Reset:    e.Status() == 0 && e.Event.Outcome == failure,
		},
		Answer:   answerOf(e),
		Identity: identityOf(e),
		Host:     cmp.Or(e.Host.ID, e.Cloud.Instance.ID, e.Host.Hostname),
	}
}

func requestOf(e *output.Entry) imds.Request {
	asks := e.IMDS.TokenRequest != nil && *e.IMDS.TokenRequest
	return imds.Request{
		Time:         e.Timestamp,
		Method:       e.HTTP.Request.Method,
		Target:       e.URL.Original,
		Proto:        e.HTTP.Version,
		Host:         e.URL.Domain,
		UserAgent:    e.UserAgent.Original,
		TokenHeader:  e.IMDS.Version == imds.V2.String() && !asks,
		TTLHeader:    asks,
		TTLSeconds:   e.IMDS.TokenTTLSeconds,
		ForwardedFor: e.IMDS.ForwardedFor != nil && *e.IMDS.ForwardedFor,
		Incomplete:   imds.ParseIncomplete(e.IMDS.Incomplete),
	}
}

func responseOf(e *output.Entry) *imds.Response {
	if e.Status() == 0 {
		return nil
	}
	r := &imds.Response{
		Time:           e.Timestamp,
		Status:         e.Status(),
		HopLimit:       uint8(e.IMDS.ResponseTTL),
		HopLimitNeeded: uint8(e.IMDS.ResponseTTLNeeded),
		Server:         e.IMDS.Server,
	}
	if e.Event.Duration != nil {
		r.Time = r.Time.Add(time.Duration(*e.Event.Duration))
	}
	return r
}

func answerOf(e *output.Entry) attribution.Answer {
	a := attribution.Answer{
		Status: attribution.Status(e.IMDS.Attribution.Status),
		Method: attribution.Method(e.IMDS.Attribution.Method),
	}
	if e.Process.PID == 0 {
		return a
	}
	a.Process = &attribution.Process{
		PID:          e.Process.PID,
		NamespacePID: e.Process.VPID,
		Name:         e.Process.Name,
		Executable:   e.Process.Executable,
		Deleted:      e.IMDS.ExecutableDeleted,
		Args:         e.Process.Args,
		Start:        e.Process.Start,
	}
	for _, r := range e.IMDS.Ancestors {
		a.Process.Ancestors = append(a.Process.Ancestors, attribution.Ancestor{PID: r.PID, Name: r.Name, Executable: r.Executable})
	}
	return a
}

func identityOf(e *output.Entry) (i identity.Identity) {
	i.Package = identity.Package(e.Package)
	i.Script = identity.Script{
		Kind:    identity.ScriptKind(e.IMDS.Script.Kind),
		Name:    e.IMDS.Script.Name,
		Path:    e.IMDS.Script.Path,
		Package: identity.Package(e.IMDS.Script.Package),
	}
	i.Elsewhere = e.IMDS.ExecutableElsewhere
	i.Container = identity.Container{ID: e.Container.ID, Name: e.Container.Name, Image: e.Container.Image.Name}
	i.Unit, i.UserUnit = e.Systemd.Unit, e.Systemd.UserUnit
	return i
}
