package cli_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// What is in a directory that is closed to the user cannot be looked at: names in it are of one
// file if they read the same.
func TestOverwriteInClosedDirectory(t *testing.T) {
	const nobody = 65534
	binary, err := os.Open("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	defer binary.Close()
	for saved, want := range map[string]string{"log": "-o and -w name the same file", "packets": "permission denied"} {
		dir := t.TempDir()
		if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(dir, nobody, nobody); err != nil {
			t.Fatal(err)
		}
		// Where the binary lies, others may not go.
		c := exec.Command("/bin/sh", "-c", `chmod 0 . && exec /proc/self/fd/3 "$@"`, "sh", "-r", "-", "-o", "log", "-w", saved)
		var said bytes.Buffer
		c.Dir, c.Stderr, c.ExtraFiles = dir, &said, []*os.File{binary}
		c.Env = append(os.Environ(), asProgram+"=yes")
		c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody}}
		if err := c.Run(); err == nil || !strings.Contains(said.String(), want) || strings.Contains(said.String(), "goroutine") {
			t.Errorf("-w %s: %v: %.300s", saved, err, &said)
		}
	}
}
