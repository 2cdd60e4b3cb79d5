package cli_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// Who made a call is told with all that matters, but not its token.
func TestLiveProcess(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.service.follow(rules{delay: lifeTime})
	p := s.host.watch(t)
	path := tool(t, "curl")
	const url = "http://169.254.169.254/latest/meta-data/hostname"
	cmd := exec.Command(path, "-s", "-H", "X-aws-ec2-metadata-token: "+standInToken, url)
	cmd.Env, cmd.Dir = plainEnvironment(), "/"
	if err := s.host.start(cmd); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	calls := []made{{s.service.calls(t, 0, 1)[0], "curl", cmd.Process.Pid}}
	entries := check(t, p.stop(t, os.Interrupt), calls)
	if len(entries) != 1 {
		t.Fatalf("%d entries", len(entries))
	}
	executable, err := filepath.EvalSymlinks(path)
	if err != nil {
		t.Fatal(err)
	}
	got, args := entries[0], []string{path, "-s", "-H", "X-aws-ec2-metadata-token: REDACTED", url}
	if got.Process.Name != "curl" || got.Process.Executable != executable || !slices.Equal(got.Process.Args, args) ||
		got.Process.WorkingDirectory != "/" || got.Process.Parent.PID != os.Getpid() || got.User.ID != "0" {
		t.Errorf("%+v", got.liveDetails)
	}
}

// A connection can be older than the capture.
func TestLiveOldConnection(t *testing.T) {
	t.Parallel()
	for _, family := range families {
		t.Run(family.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			c := s.connect(t, family.service)
			c.get(t, "/latest/meta-data/before")
			p := s.host.watch(t)
			c.get(t, "/latest/meta-data/after")
			calls := []made{{s.service.calls(t, 0, 2)[1], "this test", os.Getpid()}}
			check(t, p.stop(t, os.Interrupt), calls)
		})
	}
}

// A container behind a bridge and address translation makes one call a call,
// with its own address, although its packets pass the host several times.
//
// It does not run together with the others: their namespaces would have to be
// searched, too.
func TestLiveContainer(t *testing.T) {
	s := newSite(t)
	s.service.follow(rules{delay: lifeTime})
	saved := filepath.Join(t.TempDir(), "saved")
	p := s.host.watch(t, "-w", saved)
	container := s.addContainer(t) // comes later than the capture
	var calls []made
	for _, c := range []liveClient{curlOf(t), {"curl-keep-alive", curlOf(t).command, true}} {
		for _, family := range families {
			for _, scenario := range scenarios[:2] {
				e := errand{service: family.service, withPUT: scenario.withPUT, name: c.name + "/" + scenario.name, giveUpAfter: "20"}
				calls = append(calls, s.send(t, container, c, e)...)
			}
		}
	}
	for i := range calls {
		calls[i].source = containerSource(calls[i].call)
	}
	log := p.stop(t, os.Interrupt)
	check(t, log, calls)
	check(t, checkSavedCallers(t, saved, log).out, calls)
}
