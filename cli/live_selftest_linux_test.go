package cli_test

import (
	"strings"
	"testing"
)

// The selftest passes on a machine that passes the other tests, and tells how
// well each way of finding processes does.
func TestLiveSelftest(t *testing.T) {
	t.Parallel()
	p := launch(t, newNamespace(t), liveCommand("selftest"))
	out := p.finish(t, 0)
	for _, want := range []string{"tracepoint, sock_diag, proc", "all, as in normal use", "sock_diag alone", "proc alone", "passed: all "} {
		if !strings.Contains(out, want) {
			t.Errorf("there is no %q in\n%s", want, out)
		}
	}
	if strings.Contains(out, "FAILED") || p.errors() != "" {
		t.Errorf("%s\n%s", out, p.errors())
	}
}
