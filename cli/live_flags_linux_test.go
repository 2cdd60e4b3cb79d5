package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"imds-analyzer/output"
)

// curlOf is one kind of client, for what does not depend on the kind.
func curlOf(t *testing.T) liveClient {
	t.Helper()
	return liveClient{"curl", []string{tool(t, "sh"), "-c", shellClient + curlClient + shellFlow}, false}
}

// visits are a v1 and a v2 flow over each version of IP, of clients that live
// long enough to be found.
func (s *site) visits(t *testing.T, c liveClient) []made {
	t.Helper()
	s.service.follow(rules{delay: lifeTime})
	var calls []made
	for _, family := range families {
		for _, scenario := range scenarios[:2] {
			calls = append(calls, s.send(t, s.host, c, errand{
				service: family.service, withPUT: scenario.withPUT, name: family.name + "/" + scenario.name, giveUpAfter: "20",
			})...)
		}
	}
	return calls
}

// check holds a whole log against the calls.
func check(t *testing.T, log string, calls []made) []liveEntry {
	t.Helper()
	entries := entriesOf(t, log)
	checkSeen(t, entries, calls)
	checkCallers(t, entries, calls, true)
	return entries
}

func TestLiveInterface(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		flags []string
		want  string // the interface that is named in entries
	}{
		{"all", nil, ""},
		{"by name", []string{"-i", hostInterface}, hostInterface},
		{"one of several", []string{"-i", "lo", "-i", hostInterface}, hostInterface},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := s.host.watch(t, test.flags...)
			calls := s.visits(t, curlOf(t))
			for _, e := range check(t, p.stop(t, os.Interrupt), calls) {
				if got := e.Observer.Ingress.Interface.Name; got != test.want {
					t.Errorf("%s %s came in on %q, not %q", e.method, e.target, got, test.want)
				}
			}
		})
	}
}

// Packets that two handles deliver are one call all the same.
func TestLiveInterfaceTwice(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.host.watch(t, "-i", "any", "-i", hostInterface)
	calls := s.visits(t, curlOf(t))
	check(t, p.stop(t, os.Interrupt), calls)
}

func TestLiveOnlyV1(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.host.watch(t, "--only", "v1")
	calls := s.visits(t, curlOf(t))
	log := p.stop(t, os.Interrupt)
	var entries, v1 int
	for _, l := range readLog(t, log) {
		if l.Event.Dataset == "imds.call" {
			entries++
			if l.IMDS.Version != "v1" {
				t.Errorf("an entry of version %s", l.IMDS.Version)
			}
		}
	}
	for _, m := range calls {
		if m.version == "v1" {
			v1++
		}
	}
	if entries != v1 {
		t.Errorf("%d entries, not %d", entries, v1)
	}
	if got, want := summarised(t, p.errors()), (counts{v1: v1, v2: len(calls) - v1}); got != want {
		t.Errorf("the summary counts %v, not %v", got, want)
	}
}

func TestLiveLogFile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	name := filepath.Join(t.TempDir(), "imds.log")
	p := s.host.watch(t, "-o", name)
	calls := s.visits(t, curlOf(t))
	if out := p.stop(t, os.Interrupt); out != "" {
		t.Errorf("standard output is no terminal, and has: %s", out)
	}
	log := liveFile(t, name)
	check(t, log, calls)
	checkElapsed(t, log)
}

// checkElapsed makes sure that the line of the end tells how long the capture has run, and
// that of the start does not. No clock is set meanwhile: that is what the clock says, too.
func checkElapsed(t *testing.T, log string) {
	t.Helper()
	for line := range strings.Lines(log) {
		var l output.Lifecycle
		if err := json.Unmarshal([]byte(line), &l); err != nil {
			t.Fatal(err)
		}
		c := &l.IMDS.Capture
		switch output.LifecycleAction(l.Event.Action) {
		case output.CaptureStarted:
			if c.Elapsed != nil {
				t.Errorf("at the start %d s have gone by", *c.Elapsed)
			}
		case output.CaptureStopped:
			if c.Elapsed == nil || time.Duration(*c.Elapsed)*time.Second > l.Timestamp.Sub(c.Started)+time.Second {
				t.Errorf("how long it has run is not told: %s", line)
			}
		}
	}
}

// liveFile returns what is in a file that the program has made.
func liveFile(t *testing.T, name string) string {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil {
		t.Fatal(err)
	}
	if info.Mode() != 0o600 {
		t.Errorf("%s has mode %v", name, info.Mode())
	}
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	checkNoSecrets(t, name, string(data))
	return string(data)
}

// The packets that are saved hold the same calls, with all that is known of their
// callers, and no secrets.
func TestLiveSavedPackets(t *testing.T) {
	t.Parallel()
	for _, flags := range [][]string{nil, {"-i", hostInterface}} {
		t.Run(strings.Join(append([]string{"flags"}, flags...), " "), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			name := filepath.Join(t.TempDir(), "imds.pcapng")
			p := s.host.watch(t, append(flags, "-w", name)...)
			calls := s.visits(t, curlOf(t))
			live := p.stop(t, syscall.SIGTERM)
			check(t, live, calls)
			if n := strings.Count(liveFile(t, name), "imds-analyzer: {"); n != len(calls) {
				t.Errorf("%d comments on %d calls", n, len(calls))
			}
			again := checkSavedCallers(t, name, live)
			check(t, again.out, calls)
			if got, want := programsIn(again.err), programsIn(p.errors()); want == "" || got != want {
				t.Errorf("the summary has the programs\n%s\nnot\n%s", got, want)
			}
		})
	}
}

// checkSavedCallers reads the saved file, whose log has the callers of the live one.
func checkSavedCallers(t *testing.T, name, live string) result {
	t.Helper()
	r := succeeded(t, "-r", name, "--format", "json")
	checkSameCallers(t, callersOf(t, r.out), callersOf(t, live))
	return r
}

func TestLiveText(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.host.watch(t, "--format", "text")
	calls := s.visits(t, curlOf(t))
	lines := strings.Split(strings.TrimSuffix(undated(p.stop(t, os.Interrupt)), "\n"), "\n")
	if len(lines) != len(calls) {
		t.Fatalf("%d lines, not %d: %q", len(lines), len(calls), lines)
	}
	for i, m := range calls {
		for _, want := range []string{m.version, m.method + " /latest/", "200", "curl"} {
			if !strings.Contains(lines[i], want) {
				t.Errorf("there is no %q in %q", want, lines[i])
			}
		}
		if strings.Contains(lines[i], "\x1b") {
			t.Errorf("colour, where there is no terminal: %q", lines[i])
		}
	}
}
