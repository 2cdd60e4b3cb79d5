// Command benchfiles makes capture files of which it knows what is in them,
// and measures how the program reads them. See docs/benchmark.md.
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

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// errUsage: the arguments are not understood.
var errUsage = errors.New("wrong usage")

// Main runs a command and returns its exit status: 1 if it failed, 2 for
// wrong usage.
func Main(args []string, out, complaints io.Writer) int {
	err := run(args, out, complaints)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(complaints, "benchfiles: %v\n", err)
		return 2
	}
	fmt.Fprintf(complaints, "benchfiles: %v\n", err)
	return 1
}

func run(args []string, out, complaints io.Writer) error {
	switch {
	case len(args) > 0 && args[0] == "generate":
		return runGenerate(args[1:], out, complaints)
	case len(args) > 0 && args[0] == "measure":
		return runMeasure(args[1:], out, complaints)
	}
	return fmt.Errorf("%w: the commands are generate and measure", errUsage)
}

// runMeasure measures until it is done or a signal comes.
func runMeasure(args []string, out, complaints io.Writer) error {
	p, err := parsePlan(args, complaints)
	if err != nil {
		return err
	}
	if err := errors.Join(p.findTools(), p.findBinary()); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := p.generate(ctx, out); err != nil {
		return err
	}
	return p.measure(ctx, out)
}

func runGenerate(args []string, out, complaints io.Writer) error {
	flags := flag.NewFlagSet("benchfiles generate", flag.ContinueOnError)
	flags.SetOutput(complaints)
	dir := flags.String("out", "", "the `directory` for the files")
	if err := flags.Parse(args); err != nil {
		return usage(err)
	}
	if *dir == "" {
		return fmt.Errorf("%w: -out names the directory for the files", errUsage)
	}
	picked, err := pick(flags.Args())
	if err != nil {
		return usage(err)
	}
	return generate(*dir, picked, out)
}

// usage makes an error one of usage, but for the wish for help.
func usage(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w: %w", errUsage, err)
}
