package attribution

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestBlindSpots(t *testing.T) {
	const ptrace, search, override = unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_DAC_OVERRIDE
	const executables, unseen, before, outside = "executables", "users cannot be found:", "before the start", "pid namespace"
	whole := map[string]string{"self/ns/pid": initialPIDNamespace, "self/ns/user": initialUserNamespace}
	for _, test := range []struct {
		name   string
		links  map[string]string // below /proc
		has    []int
		traced bool
		want   []string // words of each limit
	}{
		{"all is seen", whole, []int{ptrace, search}, true, nil},
		{"in another way", whole, []int{ptrace, override}, false, nil},
		{"without namespaces", nil, []int{ptrace, search}, false, nil},
		{"no links", whole, []int{search}, false, []string{unseen}},
		{"no links, with the tracepoint", whole, []int{search}, true, []string{executables, unseen}},
		{"no descriptors", whole, []int{ptrace}, false, []string{unseen}},
		{"no descriptors, with the tracepoint", whole, []int{ptrace}, true, []string{before}},
		{"another user namespace", map[string]string{"self/ns/user": "user:[4026532999]"}, []int{ptrace, search}, false, []string{unseen}},
		{"another pid namespace", map[string]string{"self/ns/pid": "pid:[4026532999]"}, []int{ptrace, search}, false, []string{outside}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := proc{root: procOfLinks(t, test.links)}
			got := p.blindSpots(test.traced, func(c int) bool { return slices.Contains(test.has, c) })
			if len(got) != len(test.want) {
				t.Fatalf("%q", got)
			}
			for i, words := range test.want {
				if !strings.Contains(got[i], words) {
					t.Errorf("there is no %q in %q", words, got[i])
				}
			}
		})
	}
}

func TestHasCapability(t *testing.T) {
	status, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "CapEff:\t")
	line, _, _ := strings.Cut(rest, "\n")
	set, err := strconv.ParseUint(line, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	for c := 0; c <= unix.CAP_LAST_CAP; c++ {
		if want := set&(1<<c) != 0; hasCapability(c) != want {
			t.Errorf("capability %d: not %v", c, want)
		}
	}
}

// procOfLinks makes a directory with symbolic links, from paths to targets.
func procOfLinks(t *testing.T, links map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, target := range links {
		path = filepath.Join(root, path)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.Symlink(target, path)); err != nil {
			t.Fatal(err)
		}
	}
	return root
}
