package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// newCheckConfigCommand returns the command that says what is wrong in a configuration.
func newCheckConfigCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "check-config [FILE]",
		Short: "Say what is wrong in the configuration FILE, " + defaultConfig + " unless given",
		Long:  checkConfigDescription,
		Args:  atMostOneFile,
		RunE: func(_ *cobra.Command, args []string) error {
			file := defaultConfig
			if len(args) > 0 {
				file = args[0]
			}
			settings, err := checkConfig(file, streams)
			if err != nil {
				return sayConfig(err, streams)
			}
			_, err = fmt.Fprintf(streams.Out, "%s: nothing is wrong; keys that are set: %d\n", file, settings)
			return err
		},
	}
}

const checkConfigDescription = `check-config reads a configuration as --config does, and says what is wrong in
it, with its lines. It captures nothing. What depends on the user and the
machine, such as the command of --enrich, is checked as it would be here and now.

Exit status: 0 nothing is wrong; 1 it cannot be read, or is refused because
others can write to it; 2 something is wrong in it.`

func atMostOneFile(cmd *cobra.Command, args []string) error {
	if len(args) > 1 {
		return usageError{fmt.Errorf("%s takes one FILE (see %s --help)", cmd.Name(), cmd.CommandPath())}
	}
	return nil
}

// checkConfig holds a configuration to all that a run would, and counts its settings.
func checkConfig(file string, streams Streams) (settings int, err error) {
	var o options
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	o.define(flags)
	if err := flags.Set("config", file); err != nil {
		return 0, err
	}
	if err := o.prepare(flags, streams); err != nil {
		return 0, err
	}
	return len(o.config.settings), nil
}

// prepare makes the options ready for a run: with what the configuration has, and held
// against each other.
func (o *options) prepare(flags *pflag.FlagSet, streams Streams) error {
	if err := o.configure(flags); err != nil {
		return err
	}
	if err := cmp.Or(o.check(flags), o.checkOverwrite(streams.In)); err != nil {
		return o.config.place(usageError{err})
	}
	return nil
}

// sayConfig says all that is wrong in a configuration, a line each.
func sayConfig(err error, streams Streams) error {
	var wrong configError
	if !errors.As(err, &wrong) {
		return err
	}
	for _, line := range wrong.lines() {
		say(streams.Err, "%s", line)
	}
	return saidError{exitUsage}
}
