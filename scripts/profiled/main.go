// Command profiled is imds-analyzer, of which it writes a CPU profile to the file that is its
// first argument. The others are those of imds-analyzer.
package main

import (
	"fmt"
	"os"
	"runtime/pprof"

	"imds-analyzer/cli"
)

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: profiled PROFILE [ARGUMENT...]")
		os.Exit(2)
	}
	status, err := profile(os.Args[1], os.Args[2:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "profiled:", err)
		status = max(status, 1)
	}
	os.Exit(status)
}

// profile returns the program's exit status. The file is opened first, as the program gives
// up the rights to do so.
func profile(name string, args []string) (status int, err error) {
	file, err := os.Create(name)
	if err != nil {
		return 1, err
	}
	if err := pprof.StartCPUProfile(file); err != nil {
		return 1, err
	}
	status = cli.Main(args, cli.StandardStreams())
	pprof.StopCPUProfile()
	if err := file.Close(); err != nil {
		return status, fmt.Errorf("write the profile: %w", err)
	}
	return status, nil
}
