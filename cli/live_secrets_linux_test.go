package cli_test

import (
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Secrets in live calls, and in the arguments of the programs that make them, reach no
// outlet of a live capture, nor what a program says that is made to crash: Go's traces of
// all goroutines and, as with GOTRACEBACK=crash, the runtime's own.
func TestLiveSecrets(t *testing.T) {
	t.Parallel()
	s, dir, curl, secrets := newSite(t), t.TempDir(), tool(t, "curl"), secretsAndPhrase()
	calls := 2 * len(secrets)
	p := s.host.watch(t, append(strings.Fields(strings.ReplaceAll(liveOutlets, "DIR", dir)), "--count", fmt.Sprint(calls))...)
	crashing := liveCommand("--own-namespace", "--format", "json", "--max-entry-rate", "0")
	crashing.Env = append(crashing.Env, "GOTRACEBACK=crash")
	crash := launch(t, s.host, crashing)
	crash.awaitStart(t)
	all := map[string]string{}
	for i, name := range slices.Sorted(maps.Keys(secrets)) {
		secret := secrets[name]
		if i == len(secrets)-1 {
			all["metrics over HTTP"] = s.host.scrape(t, p, "localhost", http.StatusOK)
		}
		for range 2 { // so that there is something to fold
			s.host.run(t, "", curl, "-s", "-o", "/dev/null", "-H", "X-aws-ec2-metadata-token: "+secret, "-A", "app token="+secret,
				"http://"+service4.String()+"/latest/meta-data/x?token="+hexEscape(secret))
		}
	}
	all["console"] = p.finish(t, 0)
	all["standard error"] = p.errors()
	crash.out.wait(t, "all calls", func(lines []string) bool {
		return strings.Count(strings.Join(lines, ""), `"dataset":"imds.call"`) == calls
	})
	if err := crash.Process.Signal(syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	all["JSON"] = crash.finish(t, -1) // by SIGABRT
	all["crash"] = crash.errors()
	maps.Copy(all, filesIn(t, dir))
	for _, want := range []string{"console", "crash", "JSON", "metrics over HTTP", "log", "saved", "state.json", "imds.prom"} {
		if len(all[want]) < 100 {
			t.Errorf("%s has %q", want, all[want])
		}
	}
	if !strings.Contains(all["crash"], "\ngoroutine ") || !strings.Contains(all["log"], "CloudWatchMetrics") || !strings.Contains(all["log"], filepath.Base(curl)) {
		t.Errorf("there is no trace, or no metrics or callers are in the log: %s", all["crash"])
	}
	hidden := piecesOf(secrets)
	for where, text := range all {
		if err := hidden.find(text); err != nil {
			t.Errorf("%s: %v", where, err)
		}
	}
}
