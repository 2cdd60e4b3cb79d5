package cli_test

import (
	"os"
	"os/exec"
	"testing"
)

// brief calls from addresses that are there for no longer than a call takes, as the one
// is with which cloud-init looks for its user data before the network is up.
const brief = `
for i in 1 2 3 4 5 6 7 8; do
	ip addr add 203.0.113.$i/32 dev cable0
	curl -s --interface 203.0.113.$i http://169.254.169.254/latest/meta-data/$i
	ip addr del 203.0.113.$i/32 dev cable0
done
`

// Who calls is found also if the address that it calls from is gone when it is asked for.
func TestLiveBriefAddress(t *testing.T) {
	const calls = 8
	t.Parallel()
	s := newSite(t)
	p := s.host.watch(t, "--attribution", "tracepoint")
	cmd := exec.Command(tool(t, "sh"), "-ec", brief)
	cmd.Env = plainEnvironment()
	if err := s.host.start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	entries := entriesOf(t, p.stop(t, os.Interrupt))
	if len(entries) != calls {
		t.Fatalf("there are %d entries", len(entries))
	}
	for _, e := range entries {
		if e.IMDS.Attribution.Status != "resolved" || e.Process.Parent.PID != cmd.Process.Pid {
			t.Errorf("%+v is %s, by %+v", e.call, e.IMDS.Attribution.Status, e.Process)
		}
	}
}
