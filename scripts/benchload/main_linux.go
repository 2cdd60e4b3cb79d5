// Command benchload measures what the program does under load, and what it costs
// then. It prints the tables of docs/performance.md, which says what they mean.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// The roles of children: this program starts itself.
const (
	roleService = "service" // the stand-in service: the file of its access log
	roleClients = "clients" // a long-lived client: kind, number, rate, calls
	roleReceive = "receive" // takes traffic: protocol
	roleSend    = "send"    // makes traffic: protocol, seconds
)

// Main runs a command and returns its exit status: 1 if a check or the benchmark failed,
// 2 for wrong usage.
func Main(args []string, in io.Reader, out, complaints io.Writer) int {
	err := run(args, in, out, complaints)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(complaints, "bench-load: %v\n", err)
		return 2
	}
	fmt.Fprintf(complaints, "bench-load: %v\n", err)
	return 1
}

func run(args []string, in io.Reader, out, complaints io.Writer) error {
	if len(args) > 0 {
		switch args[0] {
		case roleService:
			return serve(args[1:], in, out)
		case roleClients:
			return callPaced(args[1:], in)
		case roleReceive:
			return receive(args[1:], in, out)
		case roleSend:
			return send(args[1:], out)
		}
	}
	p, err := parsePlan(args, complaints)
	if err != nil {
		return err
	}
	// A signal ends the run, which leaves nothing behind; a second one ends it at once.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	err = p.run(ctx, out)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}
