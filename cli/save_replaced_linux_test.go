package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of packets is replaced once there is something to read, also by a program that has given
// up its privileges, and stays as it was if nothing can be read.
func TestSavedFileIsReplaced(t *testing.T) {
	dir := t.TempDir()
	text, kept := write(t, dir, "text", "no capture"), write(t, dir, "kept", "what was there")
	for _, tt := range []struct {
		read   string
		status int
		begins string
	}{{text, 1, "what was there"}, {captureOf(t, "boto"), 0, "\n\r\r\n"}, {text, 1, "\n\r\r\n"}} {
		cmd := liveCommand("-r", tt.read, "-w", kept)
		if _ = cmd.Run(); cmd.ProcessState.ExitCode() != tt.status || !strings.HasPrefix(readFile(t, kept), tt.begins) {
			t.Errorf("%s: exit status %d, and it begins %.20q", tt.read, cmd.ProcessState.ExitCode(), readFile(t, kept))
		}
	}
	checkSame(t, callsOf(t, succeeded(t, "-r", kept).out), truth(t, "boto"))
	succeeded(t, "-r", captureOf(t, "boto"), "--endpoint", "169.254.170.2", "-w", kept)
	if r := succeeded(t, "-r", kept); len(callsOf(t, r.out)) > 0 {
		t.Errorf("what was there before is there still: %s", r.out)
	}
}

// A log is not added to a capture, which -w would have replaced: the file stays as it is, live
// and offline.
func TestLogIsAddedToNoCapture(t *testing.T) {
	t.Parallel()
	dir, boto := t.TempDir(), captureOf(t, "boto")
	for name, data := range map[string]string{
		"pcap": readFile(t, captureOf(t, "curl-eth")), "pcapng": readFile(t, boto),
		"gzip": pack(t, readFile(t, boto)), "zstd": packZstd(t, readFile(t, boto)),
	} {
		kept := write(t, dir, name, data)
		if err := os.Chmod(kept, 0o644); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"-r", boto}, {"-r", boto, "--rotate-size", "1MiB"}, {"--own-namespace"}} {
			p := launch(t, newNamespace(t), liveCommand(append(args, "-o", kept)...))
			p.finish(t, 2)
			oneLine(t, p.errors())
			if !strings.Contains(p.errors(), kept+": it holds a capture") || !strings.Contains(p.errors(), "-w") {
				t.Errorf("%s, %q: %s", name, args, p.errors())
			}
			checkUntouched(t, kept, data)
		}
	}
	succeeded(t, "-r", boto, "-o", write(t, dir, "empty", ""))
	succeeded(t, "-r", boto, "-o", write(t, dir, "log", logOf(t, "boto")))
}

// checkUntouched makes sure that a file that all may read is as it was, and alone.
func checkUntouched(t *testing.T, name, want string) {
	t.Helper()
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o644 || readFile(t, name) != want {
		t.Errorf("%s was changed: %v, %v", name, info.Mode(), err)
	}
	if beside, err := filepath.Glob(name + ".*"); err != nil || len(beside) > 0 {
		t.Errorf("there is %v, %v", beside, err)
	}
}
