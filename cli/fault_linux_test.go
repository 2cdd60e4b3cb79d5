//go:build faults

package cli_test

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Faults of the surroundings, by scripts/test-faults: after each, what people are told,
// what the log has, and whether the calls that follow are reported and attributed.

// fault is a run of the program to which something happens.
type fault struct {
	what    string // happens
	site    *site
	program *liveProgram
	calls   []made
	entries []liveEntry // of the log, when the program has ended
	said    []string    // what people were told
	counts  lossCounts
	client  string // that makes loads, once it is built
	loads   int    // so far
	killed  bool   // the program was, so that it did not count all that is missing
}

// faultService is not the usual address, as the kernel tells of the connections of all
// that runs on the machine meanwhile.
var faultService = netip.MustParseAddr("169.254.169.21")

// lossCounts are what the last line of a log has of what is missing.
type lossCounts struct {
	Dropped        uint64  `json:"packets_dropped_kernel"`
	Events         uint64  `json:"events_lost"`
	Truncated      bool    `json:"truncated"`
	WithoutPackets *uint64 `json:"connections_without_packets"`
	Missed         uint64  `json:"attribution_missed"`
	Unknown        uint64  `json:"calls_unknown"`
}

// beginFault starts the program on a site of its own.
func beginFault(t *testing.T, what string, args ...string) *fault {
	t.Helper()
	f := newFault(t, what)
	f.program = f.site.host.watch(t, f.arguments(args...)...)
	return f
}

// newFault makes a site for a program.
func newFault(t *testing.T, what string) *fault {
	t.Helper()
	f := &fault{what: what, site: newSiteWith(t, faultService)}
	f.site.service.follow(rules{delay: lifeTime})
	return f
}

// arguments are those of the program, and further ones.
func (f *fault) arguments(more ...string) []string {
	return append([]string{"--max-entry-rate", "0", "--no-packages", "--endpoint", faultService.String()}, more...)
}

// call has curl call the service with a token, from the host.
func (f *fault) call(t *testing.T) {
	t.Helper()
	f.callFrom(t, f.site.host)
}

func (f *fault) callFrom(t *testing.T, n *namespace) {
	t.Helper()
	before := len(f.site.service.log.soFar())
	url := fmt.Sprintf("http://%s/latest/meta-data/%d", faultService, len(f.calls))
	cmd := exec.Command(tool(t, "curl"), "-s", "-m", "20", "-H", tokenHeader+": "+standInToken, url)
	cmd.Env = plainEnvironment()
	if err := n.start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("curl %s: %v", url, err)
	}
	f.calls = append(f.calls, made{f.site.service.calls(t, before, 1)[0], "curl", cmd.Process.Pid})
}

// load has one process make so many calls with a token, several at once.
func (f *fault) load(t *testing.T, n int) {
	t.Helper()
	f.loads++
	before := len(f.site.service.log.soFar())
	if f.client == "" {
		f.client = buildGoClient(t)
	}
	e := errand{service: faultService, name: "load"}
	c := liveClient{"load", []string{f.client}, false}
	pids := runClient(t, f.site.host, c, append(e.environment(c), "LOAD="+strconv.Itoa(n), "FIELD="+tokenHeader,
		"TOKEN="+standInToken, "A=/latest/meta-data/load-"+strconv.Itoa(f.loads)))
	for _, access := range f.site.service.calls(t, before, n) {
		f.calls = append(f.calls, made{access, c.name, pids[0]})
	}
}

// logged waits until the log has an entry for the last call.
func (f *fault) logged(t *testing.T) {
	t.Helper()
	target := fmt.Sprintf(`"original":"%s"`, f.calls[len(f.calls)-1].target)
	f.program.out.wait(t, "the entry of the last call", func(lines []string) bool {
		return slices.ContainsFunc(lines, func(line string) bool { return strings.Contains(line, target) })
	})
}

// callTwice is the whole run of a program that has a fault from the start on, and that has
// both calls in its log.
func (f *fault) callTwice(t *testing.T) {
	t.Helper()
	f.program.awaitStart(t)
	f.call(t)
	f.call(t)
	f.logged(t)
	f.end(t, 0)
	f.checkWhole(t, 0)
}

// end ends the program by the signal, which it is to do with the status, and takes in
// what it has told.
func (f *fault) end(t *testing.T, status int) {
	t.Helper()
	if err := f.program.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	f.ended(t, status)
}

// ended waits until the program has ended, and holds the log against the calls: each is
// in it once and by nobody else or, if some are missing, that is counted, and the report
// does not take the log for whole.
func (f *fault) ended(t *testing.T, status int) {
	t.Helper()
	f.check(t, f.program.finish(t, status))
}

// check does so for the log of a program that has ended.
func (f *fault) check(t *testing.T, log string) {
	t.Helper()
	f.said = f.program.complaints()
	for i, l := range readLog(t, log) {
		if l.Event.Dataset == "imds.call" {
			f.entries = append(f.entries, liveEntry{l.call(), detailsOf(t, strings.Split(log, "\n")[i])})
		}
	}
	f.counts = lossesOf(t, log)
	f.checkEntries(t)
	missing := len(f.calls) - len(f.entries)
	// What passed while nothing was captured is not missing from a log: that time does not
	// count as observed, which --min-days asks for.
	if verdict := verdictOn(t, log); missing > 0 && !f.killed && (f.counts.nothing() || verdict == "ready") {
		t.Errorf("%d calls are missing: %+v, and the report says %q", missing, f.counts, verdict)
	}
}

// lossesOf are those of the last line.
func lossesOf(t *testing.T, log string) lossCounts {
	t.Helper()
	lines := strings.Split(strings.TrimSuffix(log, "\n"), "\n")
	var last struct {
		Event struct{ Action string }
		IMDS  struct{ Capture lossCounts }
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &last); err != nil || last.Event.Action != "capture-stopped" {
		t.Errorf("the log ends with %s: %v", lines[len(lines)-1], err)
	}
	return last.IMDS.Capture
}

// nothing reports whether no loss was counted that can take calls along.
func (c *lossCounts) nothing() bool {
	return c.Dropped == 0 && !c.Truncated && (c.WithoutPackets == nil || *c.WithoutPackets == 0)
}

// checkEntries makes sure that all entries are of calls, each once, and that none has
// another process than the one that called.
func (f *fault) checkEntries(t *testing.T) {
	t.Helper()
	type key struct {
		source netip.AddrPort
		target string
	}
	callers, seen := make(map[key]int), make(map[key]bool)
	for _, m := range f.calls {
		callers[key{m.source, m.target}] = m.pid
	}
	for _, e := range f.entries {
		k := key{e.source, e.target}
		switch pid, called := callers[k]; {
		case !called:
			t.Errorf("nobody called: %+v", e.call)
		case seen[k]:
			t.Errorf("twice: %+v", e.call)
		case e.Process.PID != 0 && e.Process.PID != pid:
			t.Errorf("%+v of %d is attributed to %+v", e.call, pid, e.Process)
		}
		seen[k] = true
	}
}

// verdictOn is that of a report on the log.
func verdictOn(t *testing.T, log string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(name, []byte(log), 0o600); err != nil {
		t.Fatal(err)
	}
	var report struct{ Verdict struct{ Status string } }
	out := succeeded(t, "report", "--format", "json", "--min-days", "0", "--no-boot", name).out
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		t.Fatal(err)
	}
	return report.Verdict.Status
}

// checkSaid makes sure that people were told, in one line each.
func (f *fault) checkSaid(t *testing.T, words ...string) {
	t.Helper()
	if len(f.said) != len(words) {
		t.Errorf("told are %q, not %q", f.said, words)
		return
	}
	for i, w := range words {
		if !strings.Contains(f.said[i], w) {
			t.Errorf("there is no %q in %q", w, f.said[i])
		}
	}
}

// checkWhole makes sure that all calls are in the log, and by whom all but so many.
func (f *fault) checkWhole(t *testing.T, unattributed int) {
	t.Helper()
	if missing := len(f.calls) - len(f.entries); missing != 0 {
		t.Errorf("%d calls are missing: %+v", missing, f.counts)
	}
	if n := len(f.entries) - f.attributed(); n > unattributed {
		t.Errorf("%d calls are not attributed: %+v", n, f.counts)
	}
}

func (f *fault) attributed() (n int) {
	for _, e := range f.entries {
		if e.Process.PID != 0 {
			n++
		}
	}
	return n
}

// tell prints the row of the table in docs/faults.md.
func (f *fault) tell(t *testing.T) {
	t.Helper()
	said := "nothing"
	if len(f.said) > 0 {
		said = "`" + strings.TrimSpace(strings.ReplaceAll(strings.Join(f.said, ""), "imds-analyzer: ", "")) + "`"
	}
	t.Logf("\n| %s | %s | %s | %d, %d, %d |", f.what, strings.ReplaceAll(said, "\n", "` `"), &f.counts, len(f.calls), len(f.entries), f.attributed())
}

// String is what was counted, in words.
func (c *lossCounts) String() string {
	var words []string
	add := func(n uint64, name string) {
		if n > 0 {
			words = append(words, fmt.Sprintf("`%s` %d", name, n))
		}
	}
	add(c.Dropped, "packets_dropped_kernel")
	add(c.Events, "events_lost")
	add(c.Missed, "attribution_missed")
	add(c.Unknown, "calls_unknown")
	if c.WithoutPackets != nil {
		add(*c.WithoutPackets, "connections_without_packets")
	}
	if c.Truncated {
		words = append(words, "`truncated`")
	}
	if len(words) == 0 {
		return "nothing"
	}
	return strings.Join(words, ", ")
}
