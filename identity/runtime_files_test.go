package identity

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTreeRead(t *testing.T) {
	top := t.TempDir()
	write(t, filepath.Join(top, "base/dir/file"), "text")
	write(t, filepath.Join(top, "outside"), "secret")
	for name, target := range map[string]string{"inner": "dir/file", "out": "../outside", "absolute": filepath.Join(top, "outside")} {
		if err := os.Symlink(target, filepath.Join(top, "base", name)); err != nil {
			t.Fatal(err)
		}
	}
	base := filepath.Join(top, "base")
	ours, users := tree{base: base}, tree{base: base, confined: true}
	tests := []struct {
		name  string
		tree  tree
		limit int64
		file  string
		want  string
		err   bool
	}{
		{"a file", ours, 4, "dir/file", "text", false},
		{"larger than the limit", ours, 3, "dir/file", "", true},
		{"not there", ours, 4, "dir/none", "", true},
		{"a directory", ours, 4, "dir", "", true},
		{"of a directory in it", tree{base: base, dir: "dir"}, 4, "file", "text", false},
		{"no tree", tree{}, 4, "file", "", true},
		{"a link", ours, 9, "inner", "text", false},
		{"a link of root's that leads out", ours, 9, "out", "secret", false},
		{"a user's file", users, 4, "dir/file", "text", false},
		{"a user's link", users, 9, "inner", "text", false},
		{"a user's link that leads out", users, 9, "out", "", true},
		{"a user's absolute link", users, 9, "absolute", "", true},
		{"a user's way out", users, 9, "../outside", "", true},
		{"no home", tree{base: base + "/none", confined: true}, 9, "x", "", true},
	}
	for _, tt := range tests {
		got, err := tt.tree.read(tt.limit, tt.file)
		if string(got) != tt.want || (err != nil) != tt.err {
			t.Errorf("%s: %q, %v", tt.name, got, err)
		}
	}
}

func TestTreeLimits(t *testing.T) {
	base := t.TempDir()
	write(t, filepath.Join(base, "large"), strings.Repeat(" ", maxState+1))
	if _, err := (tree{base: base}).read(maxList, "large"); err != nil {
		t.Error(err)
	}
	if _, err := (tree{base: base}).read(maxState, "large"); !errors.Is(err, errTooLarge) {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := (tree{base: base, confined: true}).read(maxList, "large"); !errors.Is(err, errTooLarge) {
		t.Errorf("a user's: %v", err)
	}
}

func TestTreeList(t *testing.T) {
	base := t.TempDir()
	if names, err := (tree{base: base}).list(2); err != nil || len(names) != 0 {
		t.Errorf("empty: %q, %v", names, err)
	}
	for _, name := range []string{"a", "b", "c"} {
		write(t, filepath.Join(base, name), "")
	}
	if names, err := (tree{base: base}).list(2); err != nil || len(names) != 2 {
		t.Errorf("more than asked for: %q, %v", names, err)
	}
	if _, err := (tree{base: base, dir: "none"}).list(2); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("not there: %v", err)
	}
}
