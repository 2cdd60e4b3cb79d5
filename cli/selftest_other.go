//go:build !linux

package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

func newSelftestCommand(Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "selftest",
		Short: "Prove on this machine that calls are seen, classified and attributed (Linux only)",
		Args:  noArgs,
		RunE:  func(*cobra.Command, []string) error { return errors.New("selftest needs Linux's network namespaces") },
	}
}

func newSelftestChildCommand(Streams) *cobra.Command { return newSelftestCommand(Streams{}) }
