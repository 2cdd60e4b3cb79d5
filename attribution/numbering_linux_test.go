package attribution

import (
	"io/fs"
	"os"
	"strconv"
	"testing"
)

func TestNumbering(t *testing.T) {
	ours := os.Getpid()
	for _, test := range []struct {
		name, self string
		err        error
		want       numbering
	}{
		{"ours", strconv.Itoa(ours), nil, numberedAsOurs},
		{"the host's, seen from a container", strconv.Itoa(ours + 1), nil, numberedOutside},
		{"a container's, seen from the host", "", &fs.PathError{Op: "readlink", Path: "/proc/self", Err: fs.ErrNotExist}, numberedElsewhere},
		{"not known", "", &fs.PathError{Op: "readlink", Path: "/proc/self", Err: fs.ErrPermission}, numberedAsOurs},
	} {
		if got := numberingOf(test.self, test.err); got != test.want {
			t.Errorf("%s: %v, want %v", test.name, got, test.want)
		}
	}
	for _, root := range []string{"/proc", t.TempDir()} { // a fixture passes for ours
		if got := (proc{root: root}).numbering(); got != numberedAsOurs {
			t.Errorf("%s: %v", root, got)
		}
	}
}
