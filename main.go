// Command imds-analyzer finds the software on a host that calls the EC2
// instance metadata service, and tells calls of version 1 from version 2.
package main

import (
	"os"

	"imds-analyzer/cli"
)

func main() { os.Exit(cli.Main(os.Args[1:], cli.StandardStreams())) }
