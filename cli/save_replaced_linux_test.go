package cli_test

import (
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
