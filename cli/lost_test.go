package cli_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What is known to be missing is doubted again by who reads what was saved.
func TestSavedPacketsTellWhatIsMissing(t *testing.T) {
	directory := t.TempDir()
	at := func(name string) string { return filepath.Join(directory, name) }
	data := readFile(t, captureOf(t, "curl-eth"))
	if err := os.WriteFile(at("cut"), []byte(data[:len(data)-10]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		from, to, doubt string
		status          int
	}{
		{at("cut"), "saved", "not all of the input could be read", 3},
		{at("saved"), "again", "1 packet was dropped", 3},
		{at("again"), "third", "1 packet was dropped", 3},
		{captureOf(t, "curl-eth"), "whole", "Nothing was lost", 0},
		{at("whole"), "copy", "Nothing was lost", 0},
	} {
		r := run("--format", "json", "-r", step.from, "-w", at(step.to))
		if r.status != step.status || !strings.Contains(r.err, step.doubt) {
			t.Errorf("%s: exit status %d, want %d; it should say %q: %s", step.to, r.status, step.status, step.doubt, r.err)
		}
		if lost := strings.Contains(r.out, `"packets_dropped_kernel":1`); lost != strings.Contains(step.doubt, "dropped") {
			t.Errorf("%s: the log tells of a packet that was dropped: %t", step.to, lost)
		}
	}
}
