// Command boottest holds what scripts/test-boot cannot do in shell: a stand-in for
// the metadata service, the comparison of its access log with the program's, the
// times of a boot, and programs that misbehave in the place of the one under test.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// errUsage: wrong usage. The flag package has said what is wrong, or the text does.
var errUsage = errors.New("wrong usage")

// command is one of the things that the program can do. Its flags are defined by it.
type command func(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error

// commandNamed is nil if there is none of that name.
func commandNamed(name string) command {
	switch name {
	case "serve":
		return runServe
	case "compare":
		return runCompare
	case "times":
		return runTimes
	case "pose":
		return runPose
	case "usage":
		return runUsage
	}
	return nil
}

// Main runs a command and returns its exit status: 1 if it failed or found what
// must not be, 2 for wrong usage.
func Main(args []string, out, complaints io.Writer) int {
	name := ""
	if len(args) > 0 {
		name = args[0]
	}
	run := commandNamed(name)
	if run == nil {
		fmt.Fprintf(complaints, "boottest: no command %q: serve, compare, times, pose, usage\n", name)
		return 2
	}
	flags := flag.NewFlagSet("boottest "+name, flag.ContinueOnError)
	flags.SetOutput(complaints)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, flags, args[1:], out)
	if err == nil || errors.Is(err, flag.ErrHelp) {
		return 0
	}
	fmt.Fprintf(complaints, "boottest: %v\n", err)
	if errors.Is(err, errUsage) {
		return 2
	}
	return 1
}

// parse reads the flags of a command, which takes no other arguments.
func parse(flags *flag.FlagSet, args []string) error {
	if err := flags.Parse(args); errors.Is(err, flag.ErrHelp) {
		return err
	} else if err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("%w: what is %q?", errUsage, flags.Arg(0))
	}
	return nil
}

// listed splits a flag's list at commas.
func listed(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' })
}

// terminated is the signal that a service manager sends to end a program.
const terminated = syscall.SIGTERM
