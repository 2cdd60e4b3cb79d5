// Package logs reads logs that the program has written, as they are or as others
// have passed them on.
package logs

import (
	"context"
	"fmt"
	"io"
	"runtime"

	"imds-analyzer/output"
)

// Receiver takes what logs hold, in the order of their lines. What it is given is
// its own only until it returns.
type Receiver interface {
	Call(*output.Entry)
	Lifecycle(*output.Lifecycle)
	// Malformed takes in why a line could not be read; line numbers begin at 1.
	Malformed(file string, line int, err error)
	// NotOurs takes in how many lines there were that hold no entry.
	NotOurs(lines int)
}

// maxWorkers bounds the goroutines that parse: what they find is taken in by one, which
// five of them keep busy.
const maxWorkers = 8

// Read reads a log to its end and hands over what is in it. The name is the one by
// which the receiver is told of lines that are malformed. The error is the reader's,
// or that of ctx, when that ends; all that was read till then is handed over.
func Read(ctx context.Context, in io.Reader, name string, to Receiver) error {
	workers := min(runtime.GOMAXPROCS(0), maxWorkers)
	p := pipeline{
		unparsed: make(chan *batch, 2*workers),
		inOrder:  make(chan *batch, 2*workers),
		free:     make(chan *batch, 2*workers),
		stop:     make(chan struct{}),
		ended:    make(chan error, 1),
	}
	defer close(p.stop)
	for range cap(p.free) {
		p.free <- newBatch()
	}
	for range workers {
		go p.parse()
	}
	go p.cut(in)
	return p.deliver(ctx, name, to)
}

// pipeline is how batches of lines go: one goroutine reads them, several parse them,
// and the caller's hands over what is in them, in order. Their number is bounded: all
// come back to free.
type pipeline struct {
	unparsed, inOrder, free chan *batch
	stop                    chan struct{} // closed when nobody wants any more
	ended                   chan error    // why reading has ended, before inOrder is closed
}

// cut reads the log. It may wait in a read that never returns after stop, so nobody
// waits for it.
func (p *pipeline) cut(in io.Reader) {
	defer close(p.unparsed)
	defer close(p.inOrder)
	c := cutter{in: in}
	for {
		var b *batch
		select {
		case b = <-p.free:
		case <-p.stop:
			return
		}
		err := c.next(b)
		p.unparsed <- b // there is room for all that there are, also when nobody wants any more
		p.inOrder <- b
		if err != nil {
			p.ended <- err
			return
		}
	}
}

func (p *pipeline) parse() {
	for b := range p.unparsed {
		b.parse()
		b.parsed <- struct{}{}
	}
}

func (p *pipeline) deliver(ctx context.Context, name string, to Receiver) error {
	for {
		select {
		case b, more := <-p.inOrder:
			if !more {
				return p.end()
			}
			<-b.parsed
			b.deliver(name, to)
			p.free <- b
		case <-ctx.Done():
			p.deliverRest(name, to)
			return ctx.Err()
		}
	}
}

// deliverRest hands over what was read already.
func (p *pipeline) deliverRest(name string, to Receiver) {
	for {
		select {
		case b, more := <-p.inOrder:
			if !more {
				return
			}
			<-b.parsed
			b.deliver(name, to)
		default:
			return
		}
	}
}

// end is the error with which reading has ended.
func (p *pipeline) end() error {
	if err := <-p.ended; err != io.EOF {
		return fmt.Errorf("reading the log: %w", err)
	}
	return nil
}
