package main

import (
	"io"
	"net"
	"os"
	"os/signal"
	"syscall"
)

// bench is where things are measured.
type bench struct {
	*plan
	out     io.Writer
	dir     string // for files of this run, readable by all users
	network *network
	service net.Listener
	*launcher
}

func newBench(p *plan, out io.Writer) (*bench, error) {
	dir, err := os.MkdirTemp("", "bench-attribution-")
	if err != nil {
		return nil, err
	}
	b := &bench{plan: p, out: out, dir: dir}
	if err := b.open(); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bench) open() (err error) {
	if err := os.Chmod(b.dir, 0o755); err != nil {
		return err
	}
	if b.network, err = newNetwork(direct()); err != nil {
		return err
	}
	err = b.network.in(b.network.service, func() (err error) {
		b.service, err = net.Listen("tcp4", serviceAddress+":80")
		return err
	})
	if err != nil {
		return err
	}
	go serve(b.service, b.delay)
	b.launcher, err = install(b.network.namespaces[b.network.clients], b.client, b.dir)
	return err
}

func (b *bench) close() {
	if b.service != nil {
		_ = b.service.Close()
	}
	if b.network != nil {
		b.network.close()
	}
	_ = os.RemoveAll(b.dir)
}

// endOnSignal leaves nothing behind: processes and namespaces end with this one.
func (b *bench) endOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	<-signals
	_ = os.RemoveAll(b.dir)
	os.Exit(1)
}

// startProgram starts the program under test where it is to watch.
func (b *bench) startProgram(way string) (*program, error) {
	return startProgram(b.network.namespaces[b.network.watched], b.binary, way, b.dir)
}
