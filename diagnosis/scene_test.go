package diagnosis

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

const (
	goSDK    = "aws-sdk-go/1.55.8 (go1.26.8; linux; amd64)"
	nodeSDK  = "aws-sdk-nodejs/2.1692.0 linux/v20.20.2"
	goHTTP   = "Go-http-client/1.1"
	curl     = "curl/7.88.1"
	requests = "python-requests/2.28.1"
)

var sceneStart = time.Date(2026, 11, 23, 4, 32, 0, 0, time.UTC)

// step is a call, or a token request that has no answer yet, and what is to be
// found out of it.
type step struct {
	Evidence
	waiting bool
	after   time.Duration // since the step before
	want    string        // findings, and behind a slash the tie
}

// put is a token request that is answered with a status; 0: not at all.
func put(status int) *step {
	s := newStep("PUT", "/latest/api/token", status)
	s.Call.Request.TTLHeader, s.Call.Request.TTLSeconds = true, 21600
	s.Call.Unanswered = status == 0
	return s
}

// get is a call without a token.
func get() *step { return newStep("GET", "/latest/meta-data/instance-id", 200) }

// use is a call with a token.
func use(status int) *step {
	s := newStep("GET", "/latest/meta-data/instance-id", status)
	s.Call.Request.TokenHeader, s.Call.Request.Token = true, imds.OpaqueToken
	return s
}

// hang is a token request that has no answer yet.
func hang() *step {
	s := put(0)
	s.waiting = true
	return s
}

func newStep(method, target string, status int) *step {
	s := &step{after: 10 * time.Millisecond}
	s.Call.Conn = imds.Conn{Client: netip.MustParseAddrPort("10.0.1.23:40000"), Service: imds.DefaultEndpoints()[0]}
	s.Call.Request = imds.Request{Method: method, Target: target, Proto: "1.1", UserAgent: goSDK, Shape: 7}
	if status != 0 {
		s.Call.Response = &imds.Response{Status: status, HopLimit: 64}
	}
	return s
}

func (s *step) agent(a string) *step        { s.Call.Request.UserAgent = a; return s }
func (s *step) shape(n uint64) *step        { s.Call.Request.Shape = n; return s }
func (s *step) later(d time.Duration) *step { s.after = d; return s }
func (s *step) path(p string) *step         { s.Call.Request.Target = p; return s }
func (s *step) token(t imds.TokenValue) *step {
	s.Call.Request.Token = t
	return s
}
func (s *step) server(name string) *step { s.Call.Response.Server = name; return s }
func (s *step) reset() *step             { s.Call.Response, s.Call.Reset = nil, true; return s }
func (s *step) host(h string) *step      { s.Host = h; return s }
func (s *step) expect() *step            { s.Call.Request.ExpectContinue = true; return s }
func (s *step) noTTL() *step {
	s.Call.Request.TTLHeader, s.Call.Request.TTLSeconds = false, 0
	return s
}

// on puts the call on a connection with a number; without, each is on one of its own.
func (s *step) on(id uint64) *step { s.Call.Conn.ID = id; return s }

// from is the client's address, and the network namespace it was seen in.
func (s *step) from(ip, network string) *step {
	s.Call.Conn.Client = netip.AddrPortFrom(netip.MustParseAddr(ip), s.Call.Conn.Client.Port())
	s.Call.Conn.Network = network
	return s
}

func (s *step) via(client string) *step {
	s.Call.Request.ForwardedFor, s.Call.Request.ForwardedClient = true, client
	return s
}

// lost: the answer did not reach the client.
func (s *step) lost(hopLimit, needed uint8) *step {
	r := s.Call.Response
	r.Delivery, r.HopLimit, r.HopLimitNeeded = imds.NotDelivered, hopLimit, needed
	return s
}

// late is an answer that came when the client had given up.
func (s *step) late() *step { s.Call.Unanswered = true; return s }

// by is the process, started at that second of the scene.
func (s *step) by(pid, second int) *step {
	s.Answer.Status = attribution.Resolved
	s.Answer.Process = &attribution.Process{PID: pid, Name: fmt.Sprint("program", pid), Start: sceneStart.Add(time.Duration(second) * time.Second)}
	return s
}

func (s *step) started(t time.Time) *step { s.Answer.Process.Start = t; return s }
func (s *step) named(name string) *step   { s.Answer.Process.Name = name; return s }

func (s *step) status(a attribution.Status) *step { s.Answer.Status = a; return s }

// child makes the process one whose parents are these: "bash boot.sh[10]". The
// script is the one at that generation.
func (s *step) child(generation int, parents ...string) *step {
	for _, p := range parents {
		args, pid, _ := strings.Cut(strings.TrimSuffix(p, "]"), "[")
		a := attribution.Ancestor{Args: strings.Fields(args)}
		a.Name = a.Args[0]
		a.Executable = "/usr/bin/" + a.Name
		fmt.Sscan(pid, &a.PID)
		s.Answer.Process.Ancestors = append(s.Answer.Process.Ancestors, a)
	}
	s.Identity.Generation = generation
	s.Identity.Caller = identity.Script{Kind: identity.ScriptFile, Name: "boot.sh"}
	return s
}

// wants is what is to be found out of the step.
// running makes the caller itself the process of a script: "bash boot.sh[10]".
func (s *step) running(process string) *step {
	line := newStep("", "", 0).by(1, 0).child(1, process).Answer.Process.Ancestors
	p := s.Answer.Process
	p.PID, p.Executable, p.Name, p.Args = line[0].PID, line[0].Executable, line[0].Name, line[0].Args
	s.Identity.Script = identity.Script{Kind: identity.ScriptFile, Name: "boot.sh"}
	return s
}

func (s *step) wants(want string) *step { s.want = want; return s }

// scene plays steps.
type scene struct {
	*Diagnoser
	now   time.Time
	conns uint64
}

func newScene() *scene { return &scene{Diagnoser: New(), now: sceneStart, conns: 1000} }

// play returns what is found out of a step.
func (s *scene) play(p *step) string {
	s.now = s.now.Add(p.after)
	e := p.Evidence
	if e.Call.Request.Time.IsZero() {
		e.Call.Request.Time = s.now
	}
	if e.Call.Conn.ID == 0 {
		s.conns++
		e.Call.Conn.ID = s.conns
	}
	if e.Call.Response != nil && e.Call.Response.Time.IsZero() {
		e.Call.Response.Time = e.Call.Request.Time.Add(time.Millisecond)
	}
	if p.waiting {
		s.now = s.now.Add(leastPatience) // the client waits
		s.Unanswered(&e)
		return ""
	}
	return words(s.Call(&e))
}

// ofSoftware are findings that rest on the call and its caller alone. A fallback
// has none; the other scenes are not about them.
var ofSoftware = []Finding{OldSoftware, V2Capable, Script}

// words are what was found out: findings and, behind a slash, the tie.
func words(d Diagnosis) string {
	var all []string
	for _, f := range d.Findings {
		if d.Fallback != nil || !slices.Contains(ofSoftware, f) {
			all = append(all, string(f))
		}
	}
	text := strings.Join(all, ",")
	if d.Fallback != nil {
		text += "/" + string(d.Fallback.Tie)
	}
	return text
}

// scenes plays tables of steps.
func scenes(t *testing.T, all map[string][]*step) {
	t.Helper()
	for name, steps := range all {
		t.Run(name, func(t *testing.T) {
			s := newScene()
			for n, p := range steps {
				if got := s.play(p); got != p.want {
					t.Errorf("step %d (%s %s): %q, want %q", n+1, p.Call.Request.Method, p.Call.Request.UserAgent, got, p.want)
				}
			}
		})
	}
}
