// Command benchreport makes the logs of many hosts, and measures how the program
// reports on them. See docs/benchmark.md.
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

// plan is what the flags say.
type plan struct {
	binary, data           string
	hosts, entries, rounds int
}

// Main runs a command and returns its exit status: 1 if it failed, 2 for wrong usage.
func Main(args []string, out, complaints io.Writer) int {
	p, err := parsePlan(args, complaints)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintf(complaints, "benchreport: %v\n", err)
		return 2
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if p.binary == "" {
		err = p.generate(ctx)
	} else {
		err = p.measure(ctx, out)
	}
	if err != nil {
		fmt.Fprintf(complaints, "benchreport: %v\n", err)
		return 1
	}
	return 0
}

// parsePlan reads the command and its flags: generate makes logs that are missing,
// measure has a program report on them. They are two processes, because what memory
// the first takes would count for the second's children (getrusage(2)).
func parsePlan(args []string, complaints io.Writer) (*plan, error) {
	p := &plan{}
	flags := flag.NewFlagSet("bench-report", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&p.data, "data", "", "the `directory` of the logs")
	flags.IntVar(&p.hosts, "hosts", 1000, "how many hosts there are, each with a log")
	flags.IntVar(&p.entries, "entries", 1000, "how many calls each log has")
	measures := len(args) > 0 && args[0] == "measure"
	if !measures && (len(args) == 0 || args[0] != "generate") {
		return nil, errors.New("the commands are generate and measure")
	}
	if measures {
		flags.StringVar(&p.binary, "binary", "", "the `program` under test")
		flags.IntVar(&p.rounds, "rounds", 5, "how often they are reported on")
	}
	if err := flags.Parse(args[1:]); err != nil {
		return nil, err
	}
	switch {
	case flags.NArg() > 0:
		return nil, fmt.Errorf("%q is no flag", flags.Arg(0))
	case p.data == "" || measures && p.binary == "":
		return nil, errors.New("-data and, to measure, -binary are needed")
	case p.hosts < 1 || p.entries < 1 || measures && p.rounds < 1:
		return nil, errors.New("there is at least one host, entry and round")
	}
	return p, nil
}
