// Command shipping checks the examples that ship the log to where logs are kept: their
// files by what the makers of the shippers document, and one of them by running it on a log
// that is written and rotated meanwhile. Its standard output has a line for each check:
// what, a tab, and the result.
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

var errUsage = errors.New("usage: shipping check -examples DIR -schema FILE | shipping run -program FILE -config FILE -collector FILE -example FILE -alarms FILE")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "shipping:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	if len(args) == 0 {
		return errUsage
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	switch args[0] {
	case "check":
		examples := flags.String("examples", "examples", "the `directory` of the examples")
		schema := flags.String("schema", "", "CloudFormation's schema, a `file`")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return check(*examples, *schema, out)
	case "run":
		var r trial
		flags.StringVar(&r.program, "program", "", "the program, a `file`")
		flags.StringVar(&r.config, "config", "", "its configuration, a `file`")
		flags.StringVar(&r.collector, "collector", "", "the OpenTelemetry Collector, a `file`")
		flags.StringVar(&r.example, "example", "", "the collector's configuration, a `file`")
		flags.StringVar(&r.alarms, "alarms", "", "the template with the metric filters, a `file`")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		return r.run(ctx, out)
	}
	return errUsage
}

// row writes the result of a check.
func row(out io.Writer, what, format string, values ...any) {
	fmt.Fprintf(out, "%s\t%s\n", what, fmt.Sprintf(format, values...))
}
