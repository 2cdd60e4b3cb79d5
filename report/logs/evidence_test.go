package logs

import (
	"bytes"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/diagnosis"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// record is a call that is logged, with all that a log of an earlier version tells.
func record(change func(*imds.Call)) output.Record {
	at := time.Unix(1700000000, 0).UTC()
	r := output.Record{Evidence: diagnosis.Evidence{
		Call: imds.Call{
			Conn:     imds.Conn{Client: netip.MustParseAddrPort("10.0.0.1:40000"), Service: netip.MustParseAddrPort("169.254.169.254:80"), Interface: "eth0", Opened: at},
			Request:  imds.Request{Time: at, Method: "GET", Target: "/latest/meta-data/?a=b", Proto: "1.1", Host: "169.254.169.254", UserAgent: "Boto3/1.12.0"},
			Response: &imds.Response{Time: at.Add(time.Millisecond), Status: 200, HopLimit: 64},
		},
		Answer: attribution.Answer{Status: attribution.Resolved, Method: attribution.Tracepoint, Process: &attribution.Process{
			PID: 7, NamespacePID: 3, Name: "python3", Executable: "/usr/bin/python3", Args: []string{"python3", "/x.py"}, Start: at,
			Ancestors: []attribution.Ancestor{{PID: 1, Name: "systemd", Executable: "/sbin/init"}},
		}},
	}}
	r.Identity.Package = identity.Package{Name: "python3", Version: "3.11", Type: "deb"}
	r.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: "/x.py", Path: "/x.py"}
	r.Identity.Unit = "x.service"
	if change != nil {
		change(&r.Call)
	}
	return r
}

// What a line tells is the evidence that the call itself was.
func TestEvidenceOfEntry(t *testing.T) {
	tests := map[string]func(*imds.Call){
		"v1":            nil,
		"token":         func(c *imds.Call) { c.Request.TokenHeader = true },
		"unknown":       func(c *imds.Call) { c.Request.Incomplete = imds.Snaplen },
		"reset":         func(c *imds.Call) { c.Response, c.Reset = nil, true },
		"unanswered":    func(c *imds.Call) { c.Response = nil },
		"refused":       func(c *imds.Call) { c.Response.Status = 403 },
		"its hop limit": func(c *imds.Call) { c.Response.HopLimit, c.Response.HopLimitNeeded = 1, 2 },
		"other service": func(c *imds.Call) { c.Response.Server = "kiam" },
		"IPv6":          func(c *imds.Call) { c.Conn.Service = netip.MustParseAddrPort("[fd00:ec2::254]:80") },
		"token request": func(c *imds.Call) {
			c.Request.Method, c.Request.Target, c.Request.TTLHeader, c.Request.TTLSeconds = "PUT", "/latest/api/token", true, 60
		},
		"forwarded": func(c *imds.Call) { c.Request.ForwardedFor = true },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			r := record(change)
			e := output.NewEntry(r, output.Host{ID: "0123", InstanceID: "i-01234567"})
			var decoded output.Entry
			if kind, _, err := parse(e.AppendLine(nil), &decoded); kind != call || err != nil {
				t.Fatal(err)
			}
			got := evidenceOf(&decoded)
			if !reflect.DeepEqual(got.Call, r.Call) {
				t.Errorf("%+v\nwant %+v", got.Call, r.Call)
			}
			if !reflect.DeepEqual(got.Answer, r.Answer) || got.Identity != r.Identity || got.Host != "0123" {
				t.Errorf("%+v, %+v of %s\nwant %+v, %+v", got.Answer.Process, got.Identity, got.Host, r.Answer.Process, r.Identity)
			}
		})
	}
}

// A call whose process is not known has none.
func TestEvidenceWithoutProcess(t *testing.T) {
	r := record(nil)
	r.Answer = attribution.Answer{Status: attribution.NotFound}
	e := output.NewEntry(r, output.Host{Hostname: "web-1"})
	if got := evidenceOf(&e); got.Answer.Process != nil || got.Answer.Status != attribution.NotFound || got.Host != "web-1" {
		t.Errorf("%+v of %s", got.Answer, got.Host)
	}
}

// Only calls of logs that do not tell are diagnosed.
func TestDiagnosesOldEntries(t *testing.T) {
	var r received
	d := Diagnose(&r)
	text := []byte(entry("/new", 1) + entry("/old", 0) + started(t) + "{\n{}\n" + entry("/old", 0))
	if err := Read(t.Context(), bytes.NewReader(text), "f", d); err != nil {
		t.Fatal(err)
	}
	if len(r.got) != 5 || r.notOurs != 1 || d.calls != 2 {
		t.Errorf("%q, %d diagnosed", r.got, d.calls)
	}
}
