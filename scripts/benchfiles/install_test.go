package main

import (
	"os"
	"path/filepath"
	"testing"
)

// Each round has a copy of its own, that can be started.
func TestInstall(t *testing.T) {
	scratch, program := t.TempDir(), filepath.Join(t.TempDir(), "program")
	for _, content := range []string{"first, which is longer", "second"} {
		if err := os.WriteFile(program, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
		p := plan{binary: program}
		if err := p.install(scratch); err != nil {
			t.Fatal(err)
		}
		copied, err := os.ReadFile(installed(scratch))
		if err != nil || string(copied) != content {
			t.Errorf("%q, %v; want %q", copied, err, content)
		}
		if info, err := os.Stat(installed(scratch)); err != nil || info.Mode()&0o100 == 0 {
			t.Errorf("it cannot be started: %v, %v", info, err)
		}
	}
}
