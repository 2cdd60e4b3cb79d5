// Package cli is the program as its user sees it: commands, flags, signals,
// exit statuses and all words meant for people. It joins the other parts.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"
)

// The exit statuses.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2
	exitPartial = 3 // good records were reported, but not all there were
)

// stopWithin is how long a signal leaves for writing what was captured. Service
// managers kill later: that of service/imds-analyzer.service after 8 s.
const stopWithin = 7 * time.Second

// oneSignal is for how long signals are still the first one: timeout(1) sends its own to the
// program and to its group, of which that is one, and a shell script may do so by hand.
const oneSignal = 500 * time.Millisecond

// lastWords is how long the end waits for people to be told why the output is lost: they may
// be told by way of what has stalled.
const lastWords = 100 * time.Millisecond

// Streams are the program's standard streams.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
	// Own: they are those of a process that does nothing else. It gives up the rights
	// that it does not need.
	Own bool
}

// StandardStreams returns the process's own.
func StandardStreams() Streams { return Streams{os.Stdin, os.Stdout, os.Stderr, true} }

// usageError is an error in how the program was called.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// Main runs the program with the arguments that follow its name, and returns
// its exit status.
func Main(args []string, streams Streams) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	defer hurryAfter(ctx, stop, streams.Err)()
	// Writing to a closed pipe is to be an error, not the end of the process.
	signal.Notify(make(chan os.Signal, 1), syscall.SIGPIPE)

	command := newRootCommand(streams)
	command.SetArgs(args)
	return exitStatus(command.ExecuteContext(ctx), streams.Err)
}

// hurryAfter makes sure that the program ends once ctx has: some time after the first
// signal the next one ends it at once, and so does more time, since output that
// nobody reads cannot be waited for. The returned function calls that off.
func hurryAfter(ctx context.Context, stop func(), stderr io.Writer) (callOff func()) {
	done := make(chan struct{})
	off := context.AfterFunc(ctx, func() {
		late := time.After(stopWithin)
		select {
		case <-done:
			return
		case <-time.After(oneSignal):
		}
		stop()
		select {
		case <-done:
		case <-late:
			sayWithin(lastWords, stderr, "the output has stalled: what could not be written within %v is lost", stopWithin)
			os.Exit(exitFailed)
		}
	})
	return func() {
		off()
		close(done)
	}
}

// errPartial: the job was done in part; good records were reported.
var errPartial = errors.New("done in part")

// saidError is an error that was told already.
type saidError struct{ status int }

func (e saidError) Error() string { return fmt.Sprintf("exit status %d", e.status) }

// exitStatus says what went wrong, unless that was said, and returns the exit
// status that belongs to it.
func exitStatus(err error, stderr io.Writer) int {
	var said saidError
	if err == nil {
		return exitDone
	}
	if errors.As(err, &said) {
		return said.status
	}
	say(stderr, "%s", err)
	if usage := (usageError{}); errors.As(err, &usage) {
		return exitUsage
	}
	return exitFailed
}

// Command returns the program's commands and flags, for what is made of them, as its
// manual page.
func Command() *cobra.Command { return newRootCommand(StandardStreams()) }

func newRootCommand(streams Streams) *cobra.Command {
	var o options
	root := &cobra.Command{
		Use:     "imds-analyzer [-r FILE|DIRECTORY...]",
		Short:   "Find the software that calls the EC2 instance metadata service, and which calls are IMDSv1",
		Long:    longHelp(),
		Example: examples,
		Args:    o.takeFiles,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := o.prepare(cmd.Flags(), streams); err != nil {
				return sayConfig(err, streams)
			}
			if err := o.checkEmbedded(isTerminal(streams.Out)); err != nil {
				return o.config.place(usageError{err})
			}
			return run(cmd.Context(), o, streams)
		},
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	o.define(root.Flags())
	root.SetIn(streams.In)
	root.SetOut(streams.Out)
	root.SetErr(streams.Err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		return usageError{fmt.Errorf("%w (see %s --help)", valueError(err), cmd.CommandPath())}
	})
	root.AddCommand(newReportCommand(streams), newCheckConfigCommand(streams), newSelftestCommand(streams), newSelftestChildCommand(streams), newVersionCommand(streams))
	refuseUnknownTopics(root)
	return root
}

// refuseUnknownTopics makes cobra's own commands, completion and help, fail when
// they are asked for what is not there. By default they print help and succeed.
func refuseUnknownTopics(root *cobra.Command) {
	root.InitDefaultCompletionCmd()
	root.InitDefaultHelpCmd()
	for _, command := range root.Commands() {
		switch command.Name() {
		case "completion":
			command.Args = cobra.ArbitraryArgs
			command.RunE = func(cmd *cobra.Command, args []string) error {
				return usageError{fmt.Errorf("no completion for %q (see %s --help)", strings.Join(args, " "), cmd.CommandPath())}
			}
			for _, shell := range command.Commands() {
				shell.Args = noArgs
			}
		case "help":
			command.Args = func(_ *cobra.Command, args []string) error {
				if found, _, err := root.Find(args); err != nil || len(args) > 0 && found == root {
					return usageError{fmt.Errorf("no help on %q (see %s --help)", strings.Join(args, " "), root.Name())}
				}
				return nil
			}
		}
	}
}

// longHelp is what the program does, and what this build of it cannot do.
func longHelp() string {
	if capturesLive() {
		return description
	}
	return description + "\n\nThis build has no libpcap in it: it reads capture files (-r), and cannot capture."
}

const description = `imds-analyzer watches the calls that this host's software makes to the EC2
instance metadata service, and writes one JSON log entry for each: which
process made it, what it asked for, how it was answered, and whether it was
IMDSv1 (no token) or IMDSv2. At the end it says which programs still call v1.

Without -r it captures live and needs root. With -r it reads capture files
(pcap, pcapng, also packed with gzip or zstd) and needs no privileges. Several
files, or those in a directory, are read in the order of time as one capture.

Exit status: 0 done; 1 failed; 2 wrong usage; 3 done in part: the input was
cut off or damaged after good records, packets were lost, entries or packets
could not be written, or an interface of -i was gone meanwhile.`

const examples = `  sudo imds-analyzer                         watch until Ctrl-C
  sudo imds-analyzer --duration 1h -o imds.log
  sudo imds-analyzer --only v1 --count 10
  sudo imds-analyzer -w imds.pcapng          save the packets too, secrets masked
  imds-analyzer -r boot.pcapng               what is in a capture file
  imds-analyzer -r /var/log/captures         in all of a directory, in time order
  tcpdump -U -w - host 169.254.169.254 | imds-analyzer -r -
  imds-analyzer report imds.log              can IMDSv1 be disabled, and why not
  sudo imds-analyzer selftest                does it work on this machine?`
