package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// cgroups are those that were made here, and that are removed.
type cgroups struct {
	root string // a hierarchy's

	mu     sync.Mutex
	made   []string // directories, parents first
	closed bool
}

// hierarchies are where cgroups are mounted that the log's containers come
// from, the first that is there: the unified one or, without, systemd's.
var hierarchies = []string{"/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"}

var errNoCgroups = errors.New("there is no hierarchy of cgroups below /sys/fs/cgroup")

// procsFile holds the processes of a cgroup (cgroups(7)).
const procsFile = "cgroup.procs"

func newCgroups() (*cgroups, error) {
	for _, root := range hierarchies {
		if _, err := os.Stat(filepath.Join(root, procsFile)); err == nil {
			return &cgroups{root: root}, nil
		}
	}
	return nil, errNoCgroups
}

// add makes a cgroup with those above it, and returns its file of processes.
func (c *cgroups) add(path string) (procs string, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return "", os.ErrClosed
	}
	dir := c.root
	for name := range strings.SplitSeq(path, "/") {
		dir = filepath.Join(dir, name)
		err := os.Mkdir(dir, 0o755)
		switch {
		case err == nil:
			c.made = append(c.made, dir)
		case !errors.Is(err, os.ErrExist):
			return "", err
		}
	}
	return filepath.Join(dir, procsFile), nil
}

// removeWithin is for processes that were killed to be gone.
const removeWithin = 10 * time.Second

// remove ends the processes of the cgroups that were made, and removes these.
func (c *cgroups) remove() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var left []error
	slices.Reverse(c.made)
	for _, dir := range c.made {
		left = append(left, removeCgroup(dir, time.Now().Add(removeWithin)))
	}
	c.made = nil
	return errors.Join(left...)
}

// close removes all, and makes no more.
func (c *cgroups) close() error {
	c.mu.Lock()
	c.closed = true
	c.mu.Unlock()
	return c.remove()
}

// removeCgroup tries until its processes have ended.
func removeCgroup(dir string, until time.Time) error {
	for {
		err := syscall.Rmdir(dir)
		if err == nil || errors.Is(err, os.ErrNotExist) {
			return nil
		}
		if time.Now().After(until) {
			return &os.PathError{Op: "rmdir", Path: dir, Err: err}
		}
		killAll(filepath.Join(dir, procsFile))
		time.Sleep(time.Millisecond)
	}
}

func killAll(procs string) {
	text, _ := os.ReadFile(procs)
	for line := range strings.Lines(string(text)) {
		if pid, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && pid > 1 {
			_ = syscall.Kill(pid, syscall.SIGKILL)
		}
	}
}
