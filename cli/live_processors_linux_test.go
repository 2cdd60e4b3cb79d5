package cli_test

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// putInPlace has what runs in the namespace, and nothing else, see a file in the place of another.
func (n *namespace) putInPlace(t *testing.T, file, of string) {
	t.Helper()
	err := n.do(func() error {
		return errors.Join(
			unix.Unshare(unix.CLONE_NEWNS),
			unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount(file, of, "", unix.MS_BIND, ""),
		)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Where processors come or go, the tracepoint is given up. People and the log are told, the other
// ways take its place, with a socket more that tells them of connections at once, and network
// namespaces that are made later are captured all the same.
func TestLiveProcessorsChange(t *testing.T) {
	const list = "/sys/devices/system/cpu/online"
	const words = "The kernel's events on processes are not trusted any more"
	host, there, later := newNamespace(t), newSiteWith(t, changedService), newSiteWith(t, changedService)
	changed := filepath.Join(t.TempDir(), "online")
	if err := os.WriteFile(changed, []byte(readFile(t, list)), 0o644); err != nil {
		t.Fatal(err)
	}
	host.putInPlace(t, changed, list)
	defer there.host.occupy(t)()
	p := host.watchAll(t, "--endpoint", changedService.String())
	eventually(t, "captured from the start", func() bool { return there.host.captures(t) == 1 && host.captures(t) == 1 })
	if err := os.WriteFile(changed, []byte("0-4095\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the word that processors have changed", func() bool {
		_ = exec.Command(tool(t, "true")).Run() // which wakes who reads the events
		return strings.Contains(p.errors(), words)
	})
	defer later.host.occupy(t)()
	eventually(t, "tapped, too", func() bool {
		return host.captures(t) == 2 && there.host.captures(t) == 2 && later.host.captures(t) == 2
	})
	later.service.follow(rules{delay: lifeTime})
	calls := []made{later.curlIn(t, later.host, changedService, "/latest/meta-data/")}
	lines := strings.SplitAfter(p.stop(t, os.Interrupt), "\n")
	told := lines[1]
	entries := entriesOf(t, strings.Join(slices.Delete(lines, 1, 2), ""))
	checkSeen(t, entries, calls)
	checkCallers(t, entries, calls, false) // sock_diag has to be quick
	if !strings.Contains(told, `"attribution_methods":["sock_diag","proc"]`) || !strings.Contains(told, words) {
		t.Errorf("the log tells %s", told)
	}
}
