package cli

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/selftest"
)

// newSelftestCommand returns the command that proves that the program works
// on this machine.
func newSelftestCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "selftest",
		Short: "Prove on this machine that calls are seen, classified and attributed (root)",
		Long: `selftest makes private network namespaces, starts a stand-in metadata service
in one of them, lets short-lived and long-lived children call it, and compares
what imds-analyzer logged with what they did: first as in normal use, then
with each other way of finding processes that works here alone. It never
contacts the real metadata service, and leaves nothing behind.

Exit status: 0 all calls were seen and classified, and none was attributed to
a wrong process; 1 not so, or it could not be tried; 2 wrong usage.`,
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if !capturesLive() {
				return advise(capture.ErrNoLive)
			}
			status, err := selftest.Outside(cmd.Context(), streams.Out, streams.Err)
			if err == nil && status != exitDone {
				return saidError{status}
			}
			return err
		},
	}
}

// newSelftestChildCommand returns the hidden command that selftest starts its
// children with.
func newSelftestChildCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:    selftest.ChildCommand,
		Hidden: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 1 && args[0] == selftest.RoleInside:
				err := selftest.Inside(cmd.Context(), streams.Out)
				return errors.Join(err, printLimits(streams.Out))
			case len(args) == 1 && args[0] == selftest.RoleService:
				return selftest.Service()
			case len(args) == 4 && args[0] == selftest.RoleClient:
				return selftest.Client(args[1], args[2], args[3])
			}
			return usageError{errors.New("this command is for selftest")}
		},
	}
}

// printLimits says which ways of finding processes do not work here, and why.
func printLimits(out io.Writer) error {
	r, err := attribution.Open(attribution.Options{})
	if err != nil {
		return err
	}
	for _, limit := range r.Limits() {
		fmt.Fprintf(out, "limit: %s\n", limit)
	}
	return r.Close()
}
