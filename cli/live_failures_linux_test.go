package cli_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// checkFailure makes sure that the program ends by itself as failed, with one
// line that has the words.
func checkFailure(t *testing.T, p *liveProgram, words ...string) {
	t.Helper()
	p.finish(t, 1)
	complaints := p.complaints()
	if len(complaints) != 1 {
		t.Fatalf("not one complaint: %q", complaints)
	}
	for _, word := range words {
		if !strings.Contains(complaints[0], word) {
			t.Errorf("there is no %q in %q", word, complaints[0])
		}
	}
}

func TestLiveNoInterface(t *testing.T) {
	t.Parallel()
	host := newNamespace(t)
	p := launch(t, host, liveCommand("-i", "nowhere0"))
	checkFailure(t, p, "no such interface", `"nowhere0"`)
	if lines := p.err.soFar(); len(lines) != 1 {
		t.Errorf("more than one line: %q", lines)
	}
}

func TestLiveNoPermission(t *testing.T) {
	t.Parallel()
	user := liveCommand()
	user.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	user.Dir = "/"
	root := newThread(t, func() error { return unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_NET_RAW, 0, 0, 0) })
	for _, test := range []struct {
		name string
		p    *liveProgram
	}{
		{"not root", launch(t, newNamespace(t), user)},
		{"root without the capability", launch(t, root, liveCommand())},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkFailure(t, test.p, "permission", "root", "CAP_NET_RAW")
			if lines := test.p.err.soFar(); len(lines) != 1 {
				t.Errorf("more than one line: %q", lines)
			}
		})
	}
}

// full is a disk without room (full(4)).
const full = "/dev/full"

func TestLiveOutputFull(t *testing.T) {
	t.Parallel()
	out, err := os.OpenFile(full, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	for _, flags := range [][]string{{"-o", full}, {"-w", full}, nil} {
		t.Run(strings.Join(append([]string{"flags"}, flags...), " "), func(t *testing.T) {
			cmd := liveCommand(append([]string{"--own-namespace"}, flags...)...)
			cmd.Stdout = out
			s := newSite(t)
			p := launch(t, s.host, cmd)
			checkFailure(t, p, "no space left")
		})
	}
}

// Who reads the log has gone, at the start or meanwhile.
func TestLiveClosedPipe(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	cmd := liveCommand("--own-namespace")
	cmd.Stdout = writer
	p := launch(t, s.host, cmd)
	p.awaitStart(t)
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	s.connect(t, service4).get(t, "/latest/meta-data/ami-id")
	checkFailure(t, p, "standard output", "broken pipe")
}

// An interface is gone, with packets that the kernel has not handed over yet, and another
// one has its name: with every way of finding processes all is captured.
func TestLiveInterfaceGone(t *testing.T) {
	t.Parallel()
	for _, way := range []string{"tracepoint", "sock_diag"} {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := s.host.watch(t, "-i", hostInterface, "--attribution", way)
			s.connect(t, service4).get(t, "/latest/meta-data/before")
			s.host.ip(t, "link del "+hostInterface)
			p.says(t, "capture on "+hostInterface+" is interrupted")
			layCable(t, s.host, s.far, service4, service6)
			p.says(t, hostInterface+" is there again")
			s.connect(t, service4).get(t, "/latest/meta-data/after")
			if err := p.Process.Signal(os.Interrupt); err != nil {
				t.Fatal(err)
			}
			var got []call
			for _, l := range readLog(t, p.finish(t, 3)) {
				if l.Event.Dataset == "imds.call" {
					got = append(got, l.call())
				}
			}
			checkSame(t, got, s.service.log.soFar())
		})
	}
}
