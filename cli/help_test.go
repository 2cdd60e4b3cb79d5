package cli_test

import (
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"imds-analyzer/cli"
)

// What a flag takes is said by a name or its possible values: the name of Go's type says
// nothing.
func TestHelpTellsWhatFlagsTake(t *testing.T) {
	root := cli.Command()
	for _, command := range append([]*cobra.Command{root}, root.Commands()...) {
		command.LocalFlags().VisitAll(func(f *pflag.Flag) {
			unnamed := pflag.Flag{Name: f.Name, Value: f.Value}
			ofType, _ := pflag.UnquoteUsage(&unnamed)
			if takes, _ := pflag.UnquoteUsage(f); takes == ofType && takes != strings.ToUpper(takes) {
				t.Errorf("%s --%s %s", command.CommandPath(), f.Name, takes)
			}
		})
	}
}
