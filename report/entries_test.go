package report

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"imds-analyzer/output"
)

// day is a Monday at midnight, from which tests count.
var day = time.Date(2026, 3, 2, 0, 0, 0, 0, time.UTC)

func at(days float64) time.Time { return day.Add(time.Duration(days * float64(24*time.Hour))) }

// on is a host by its name, which it has an instance's id from.
func on(name string) output.HostFields {
	if name == "" {
		return output.HostFields{}
	}
	return output.HostFields{
		Host:  output.HostField{Hostname: name},
		Cloud: output.Cloud{Provider: "aws", Instance: output.Instance{ID: "i-" + name}},
	}
}

// a call is an entry that is made of changes.
type change func(*output.Entry)

func call(changes ...change) *output.Entry {
	e := &output.Entry{
		Timestamp:  at(1),
		Event:      output.Event{Action: "imds-v1-request"},
		IMDS:       output.IMDS{Version: "v1"},
		URL:        output.URL{Path: "/latest/meta-data/instance-id"},
		Network:    output.Network{Type: "ipv4"},
		Source:     output.Address{IP: netip.MustParseAddr("10.0.0.1")},
		HostFields: on("web-1"),
	}
	e.HTTP.Response.StatusCode = 200
	for _, c := range changes {
		c(e)
	}
	return e
}

func when(t time.Time) change     { return func(e *output.Entry) { e.Timestamp = t } }
func status(n int) change         { return func(e *output.Entry) { e.HTTP.Response.StatusCode = n } }
func sequence(n uint64) change    { return func(e *output.Entry) { e.Event.Sequence = n } }
func from(host string) change     { return func(e *output.Entry) { e.HostFields = on(host) } }
func pathTo(p string) change      { return func(e *output.Entry) { e.URL.Path = p } }
func findings(f ...string) change { return func(e *output.Entry) { e.IMDS.Findings = f } }
func userAgent(s string) change   { return func(e *output.Entry) { e.UserAgent.Original = s } }
func unit(name string) change     { return func(e *output.Entry) { e.Systemd.Unit = name } }
func commandLine(s string) change { return func(e *output.Entry) { e.Process.CommandLine = s } }
func startedBy(all ...output.Relative) change {
	return func(e *output.Entry) { e.IMDS.Ancestors = all }
}
func server(s string) change       { return func(e *output.Entry) { e.IMDS.Server = s } }
func credentials(e *output.Entry)  { e.IMDS.Credentials = new(true) }
func ipv6(e *output.Entry)         { e.Network.Type = "ipv6" }
func unknownCall(e *output.Entry)  { e.IMDS.Version, e.Event.Action = "unknown", "imds-unknown-request" }
func v2(e *output.Entry)           { e.IMDS.Version, e.Event.Action = "v2", "imds-v2-request" }
func tokenRequest(e *output.Entry) { e.IMDS.Version, e.Event.Action = "v2", "imds-v2-token-request" }

func process(executable string) change {
	return func(e *output.Entry) { e.Process.PID, e.Process.Executable = 4242, executable }
}

func packaged(name, version string) change {
	return func(e *output.Entry) { e.Package = output.Package{Name: name, Version: version, Type: "deb"} }
}

func fallback(reason string, code int, evidence string) change {
	return func(e *output.Entry) {
		e.IMDS.Fallback = output.Fallback{Reason: reason, StatusCode: code, Evidence: evidence}
		e.IMDS.Findings = append(e.IMDS.Findings, "fallback-token-"+reason)
	}
}

func hops(seen, needed int) change {
	return func(e *output.Entry) { e.IMDS.ResponseTTL, e.IMDS.ResponseTTLNeeded = seen, needed }
}

// capture is what a host's capture says of itself.
type capture struct {
	host    string
	boot    string
	started time.Time
	uptime  uint64
	counts  output.Counts

	instance string // made of the host unless it is given
}

func (c capture) session() *output.Session {
	return &output.Session{Host: output.Host{Hostname: c.host, InstanceID: cmp.Or(c.instance, "i-"+c.host)}, Filter: "port 80", BootID: c.boot, Started: c.started}
}

func (c capture) start() *output.Lifecycle {
	l := c.session().Start()
	l.Host.Uptime = c.uptime
	return &l
}

func (c capture) runs(t time.Time) *output.Lifecycle {
	l := c.session().Progress(output.CaptureRuns, t, c.counts)
	return &l
}

func (c capture) stop(t time.Time) *output.Lifecycle {
	l := c.session().Progress(output.CaptureStopped, t, c.counts)
	return &l
}

// gap is the line that tells of entries that are not in the log.
func (c capture) gap(t time.Time, entries uint64) *output.Lifecycle {
	l := c.session().Gap(t, entries, c.counts)
	return &l
}

// aWeek is a host that was observed from a boot on for seven days.
func aWeek(host string) []any {
	c := capture{host: host, boot: "b1", started: day, uptime: 20}
	return []any{c.start(), c.stop(at(7))}
}

// aWeekOf is aWeek on an instance.
func aWeekOf(host, instance string) []any {
	c := capture{host: host, boot: "b1", started: day, uptime: 20, instance: instance}
	return []any{c.start(), c.stop(at(7))}
}

// take gives lines to a Builder.
func take(b *Builder, lines ...any) *Builder {
	for _, line := range lines {
		switch line := line.(type) {
		case []any:
			take(b, line...)
		case *output.Entry:
			b.Call(line)
		case *output.Lifecycle:
			b.Lifecycle(line)
		default:
			panic(fmt.Sprintf("%T is no line", line))
		}
	}
	return b
}

// week are the options of people who say nothing.
var week = Options{MinDays: DefaultMinDays}

func ids(items []Item) string {
	var all []string
	for _, i := range items {
		all = append(all, i.ID)
	}
	return strings.Join(all, " ")
}

func jsonOf(t testing.TB, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func number(n uint64) string { return strconv.FormatUint(n, 10) }
