package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

// The profile is there whatever becomes of the program, whose exit status is told.
func TestProfile(t *testing.T) {
	for argument, want := range map[string]int{"version": 0, "--no-such-flag": 2} {
		name := filepath.Join(t.TempDir(), "profile")
		if status, err := profile(name, []string{argument}); status != want || err != nil {
			t.Errorf("%s: exit status %d, %v", argument, status, err)
		}
		if data, err := os.ReadFile(name); err != nil || !bytes.HasPrefix(data, []byte("\x1f\x8b")) {
			t.Errorf("%s: %d bytes, which are no profile: %v", argument, len(data), err)
		}
	}
}

func TestProfileCannotBeWritten(t *testing.T) {
	if status, err := profile(filepath.Join(t.TempDir(), "no", "such"), []string{"version"}); status == 0 || err == nil {
		t.Errorf("exit status %d, %v", status, err)
	}
}
