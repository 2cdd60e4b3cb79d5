//go:build unix

package cli

import (
	"os"
	"path/filepath"
	"testing"
)

// Of files without packets there may be thousands, which are not to be compared each with each:
// only those can be the same that have one key.
func TestFilesWithoutPacketsAreToldApart(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"one", "two"} {
		if err := os.WriteFile(path(name), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Link(path("one"), path("hard link")); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("one", path("symbolic link")); err != nil {
		t.Fatal(err)
	}
	found := func(name string) input {
		info, err := os.Stat(path(name))
		if err != nil {
			t.Fatal(err)
		}
		return input{name: path(name), info: info}
	}
	tests := []struct {
		name, other string
		same        bool
	}{
		{"itself", "one", true},
		{"a hard link", "hard link", true},
		{"a symbolic link", "symbolic link", true},
		{"another", "two", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			one, other := found("one"), found(test.other)
			if same := one.key() == other.key(); same != test.same {
				t.Errorf("one key: %v, want %v", same, test.same)
			}
			if same := len(unique([]input{one, other})) == 1; same != test.same {
				t.Errorf("read once: %v, want %v", same, test.same)
			}
		})
	}
}
