package attribution

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestUsersFollowTheirFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "passwd")
	u := &users{file: file}
	for i, step := range []struct {
		content string // "" to leave the file as it is
		want    string
	}{
		{"", ""}, // no file yet
		{"app:x:1000:1000::/:/bin/sh\n", "app"},
		{"", "app"},
		{"web:x:1000:1000::/:/bin/sh\n", "web"}, // of the same size
		{"web:x:1001:1000::/:/bin/sh\n", ""},
	} {
		if step.content != "" {
			if err := os.WriteFile(file, []byte(step.content), 0o600); err != nil {
				t.Fatal(err)
			}
			at := time.Unix(int64(1000*i), 0) // the clock of files is coarse
			if err := os.Chtimes(file, at, at); err != nil {
				t.Fatal(err)
			}
		}
		if got := u.name(1000); got != step.want {
			t.Errorf("step %d: %q, want %q", i, got, step.want)
		}
	}
}

func TestUsersAreBounded(t *testing.T) {
	u := &users{file: "testdata/passwd"}
	for id := range uint32(3 * maxUsers) {
		if got, want := u.name(id), map[uint32]string{0: "root", 1000: "ann"}[id]; want != "" && got != want {
			t.Errorf("user %d: %q, want %q", id, got, want)
		}
		if len(u.names) > maxUsers {
			t.Fatalf("%d names", len(u.names))
		}
	}
}
