package main

import (
	"errors"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

// bench is what all that is measured has in common.
type bench struct {
	*plan
	out     io.Writer
	dir     string // for files of this run, readable by all users
	path    string // of the clients' program there
	cgroups *cgroups
}

func newBench(p *plan, out io.Writer) (*bench, error) {
	groups, err := newCgroups()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-attribution-")
	if err != nil {
		return nil, err
	}
	b := &bench{plan: p, out: out, dir: dir, path: filepath.Join(dir, "client"), cgroups: groups}
	if err := b.open(); err != nil {
		return nil, errors.Join(err, b.close())
	}
	return b, nil
}

// open makes the files, and the directory that the containers' /proc hides.
func (b *bench) open() error {
	return errors.Join(
		os.Chmod(b.dir, 0o755),
		os.Mkdir(filepath.Join(b.dir, "proc"), 0o755),
		install(b.client, b.path),
	)
}

// close is for the end, also that of an interrupted run.
func (b *bench) close() error {
	return errors.Join(b.cgroups.close(), os.RemoveAll(b.dir))
}

// endOnSignal leaves nothing behind: processes and namespaces end with this one.
func (b *bench) endOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	_ = b.close()
	os.Exit(1)
}
