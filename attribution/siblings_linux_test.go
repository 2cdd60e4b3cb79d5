package attribution

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

// Who else may have a socket from the parent is told by its list of children. Kernels have none
// without CONFIG_PROC_CHILDREN: then that is not known.
func TestSiblingsShare(t *testing.T) {
	const inode, fd = 1000, 3
	for _, test := range []struct {
		name     string
		children string // "-": there is no list
		holder   string // of the same descriptor
		shared   bool
	}{
		{"the only child", "5 ", "", false},
		{"another one", "5 6 ", "", false},
		{"another one that has it", "5 6 ", "6", true},
		{"no list", "-", "", true},
		{"a list without the child", "6 ", "", true},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := proc{root: t.TempDir(), boot: bootOfFixture}
			task := p.path(4, "task", "4")
			err := errors.Join(os.MkdirAll(task, 0o700), os.MkdirAll(filepath.Join(p.root, "6", "fd"), 0o700))
			if test.children != "-" {
				err = errors.Join(err, os.WriteFile(filepath.Join(task, "children"), []byte(test.children), 0o600))
			}
			if test.holder != "" {
				err = errors.Join(err, os.Symlink("socket:[1000]", filepath.Join(p.root, test.holder, "fd", "3")))
			}
			if err != nil {
				t.Fatal(err)
			}
			c := &catcher{tracepoint: &tracepoint{facts: newFacts(p, "testdata/passwd")}}
			if shared := c.siblingsShare(youngster{pid: 5, parent: 4}, inode, fd); shared != test.shared {
				t.Errorf("shared: %v", shared)
			}
		})
	}
}
