package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"imds-analyzer/capture"
)

// newVersionCommand returns the command that says what this program is.
func newVersionCommand(streams Streams) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the program's version and what it was built with",
		Args:  noArgs,
		RunE: func(*cobra.Command, []string) error {
			libpcap := capture.LibpcapVersion()
			if !capturesLive() {
				libpcap = "no libpcap: reads capture files only"
			}
			_, err := fmt.Fprintf(streams.Out, "imds-analyzer %s\n%s %s/%s\n%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH, libpcap)
			return err
		},
	}
}

// capturesLive reports whether this build has libpcap in it.
func capturesLive() bool { return capture.LibpcapVersion() != "" }

// released is the version of a release. It is a variable because the linker sets it
// (-X, scripts/build-release), also where the source is not in a repository that Go
// could read a version from; nothing else does, and it is the only one of its kind.
var released string

// version is the version of this build: that of the release, or else a module
// version or a revision, as the Go toolchain recorded it.
func version() string {
	if released != "" {
		return released
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	revision, modified := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			modified = "+changes"
		}
	}
	if revision == "" || info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return revision + modified
}

// noArgs refuses arguments.
func noArgs(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("%s takes no arguments, and was given %q (see %s --help)", cmd.Name(), args[0], cmd.CommandPath())}
	}
	return nil
}
