//go:build faults

package cli_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// Faults of what is written to, besides that it is full.

// failingDisk makes a file system of its own, ext4 in a file, on the host, where nobody
// else sees it.
func failingDisk(t *testing.T, host *namespace) (dir string) {
	t.Helper()
	dir = host.smallDisk(t, "32m")
	image := filepath.Join(t.TempDir(), "image")
	if err := os.WriteFile(image, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, command := range [][]string{
		{"truncate", "-s", "16M", image}, {"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, dir},
	} {
		onHost(t, host, command...)
	}
	t.Cleanup(func() { onHost(t, host, "umount", "-l", dir) })
	return dir
}

// onHost runs a command in the host's mount namespace.
func onHost(t *testing.T, host *namespace, command ...string) {
	t.Helper()
	var out []byte
	err := host.do(func() (err error) {
		out, err = exec.Command(tool(t, command[0]), command[1:]...).CombinedOutput()
		return err
	})
	if err != nil {
		t.Fatalf("%q: %v: %s", command, err, out)
	}
}

// The file system is read-only from now on, under open files (EROFS), as ext4 makes it
// after an error of the disk: its option abort does the same (ext4(5)). That does not pass
// before it is mounted anew. The last line of the log, with the counts, is missing, too.
func TestFaultDiskFails(t *testing.T) {
	f := newFault(t, "the disk fails, and is read-only from then on (EROFS)")
	dir := failingDisk(t, f.site.host)
	o := outputsIn(dir)
	f.program = f.site.host.watch(t, f.arguments(o.flags()[2:]...)...)
	f.load(t, 20)
	eventually(t, "the last entry", func() bool { return strings.Count(f.site.host.read(t, o.log), "\n") == 1+len(f.calls) })
	written := len(f.calls)
	onHost(t, f.site.host, "mount", "-o", "remount,abort", dir)
	f.load(t, 20)
	for _, told := range []string{"cannot write to " + o.log, "packets cannot be saved to " + o.saved, "cannot write the metrics"} {
		f.program.says(t, told)
	}
	if err := f.program.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	f.program.finish(t, 1)
	f.said = f.program.complaints()
	log := f.site.host.read(t, o.log)
	checkWhole(t, log)
	for i, l := range readLog(t, log) {
		if l.Event.Dataset == "imds.call" {
			f.entries = append(f.entries, liveEntry{l.call(), detailsOf(t, strings.Split(log, "\n")[i])})
		}
	}
	f.checkEntries(t)
	if len(f.entries) != written || !strings.Contains(strings.Join(f.said, ""), "21 entries are missing") || strings.Contains(log, `"capture-stopped"`) {
		t.Errorf("%d entries of %d: %q", len(f.entries), written, f.said)
	}
	f.tell(t)
}

// A user's log is in a directory to which the user loses the right to write, and gets it
// back: what is open is written, and nothing rotated meanwhile.
func TestFaultDirectoryClosed(t *testing.T) {
	f := newFault(t, "the log's directory is closed to its user (chmod), and is not any more")
	parent, err := os.MkdirTemp("", "closed")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(parent) })
	dir := filepath.Join(parent, "logs")
	if err := errors.Join(os.Chmod(parent, 0o755), os.Mkdir(dir, 0o700), os.Chown(dir, nobody, nobody)); err != nil {
		t.Fatal(err)
	}
	log := filepath.Join(dir, "log")
	cmd := liveCommand(f.arguments("--own-namespace", "-o", log, "--rotate-size", "64KiB", "--rotate-keep", "1000")...)
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody},
		AmbientCaps: []uintptr{unix.CAP_NET_RAW, unix.CAP_PERFMON, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_PTRACE, unix.CAP_SYS_NICE}}
	host := privileged{mounts: withTracefs, without: true}
	f.program = launch(t, host.thread(t, f.site), cmd)
	f.program.awaitStart(t)
	f.load(t, 20)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	f.load(t, 200)
	f.program.says(t, "the log goes on where it was")
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log is rotated again", func() bool {
		f.load(t, 20)
		_, err := os.Stat(log + ".1")
		return err == nil
	})
	f.program.stop(t, syscall.SIGTERM)
	text, _ := rotated(t, log)
	checkWhole(t, text)
	f.check(t, text)
	f.checkWhole(t, 0)
	f.tell(t)
}

// standInJournal is where systemd's journal takes entries, for who is in the namespace.
func standInJournal(t *testing.T, n *namespace, entries *watched[string]) (socket *net.UnixConn) {
	t.Helper()
	const name = "/run/systemd/journal/socket"
	err := n.do(func() (err error) {
		_ = os.Remove(name)
		socket, err = net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for buffer := make([]byte, 1<<20); ; {
			n, err := socket.Read(buffer)
			if err != nil {
				return
			}
			entries.add(string(buffer[:n]))
		}
	}()
	return socket
}

// The journal ends, and comes back: what waits then comes to it.
func TestFaultJournal(t *testing.T) {
	f := newFault(t, "the journal's socket is gone (`--journald`), and there again")
	host := newThread(t, func() error {
		return errors.Join(enterNetwork(f.site.host.path), unix.Unshare(unix.CLONE_NEWNS),
			unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""), unix.Mount("tmpfs", "/run", "tmpfs", 0, ""),
			os.MkdirAll("/run/systemd/journal", 0o755))
	})
	var entries watched[string]
	journal := standInJournal(t, host, &entries)
	f.program = launch(t, host, liveCommand(f.arguments("--own-namespace", "--journald")...))
	f.program.awaitStart(t)
	f.load(t, 10)
	inJournal := func(calls int) func([]string) bool {
		return func(list []string) bool {
			return strings.Count(strings.Join(list, "\n"), "original\":\"/latest/meta-data/load-") >= calls
		}
	}
	entries.wait(t, "the entries", inJournal(10))
	journal.Close()
	f.load(t, 10)
	f.program.says(t, "cannot write to the journal")
	journal = standInJournal(t, host, &entries)
	defer func() { journal.Close() }()
	f.program.says(t, "the journal is written again, no entry is missing from it")
	f.load(t, 10)
	f.program.stop(t, syscall.SIGTERM)
	entries.wait(t, "all entries", inJournal(30))
	t.Logf("\n| %s | `%s` | nothing | 30, 30, 30 |", f.what, strings.TrimSpace(fmt.Sprint(f.program.complaints())))
}
