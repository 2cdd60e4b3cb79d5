// Command sbom writes which parts a binary of ours is made of, as SPDX 2.3 in JSON:
// what the Go toolchain has recorded in it, as `go version -m` shows it, and the parts
// of other kinds that standard input names. The same binary gives the same document.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// errUsage: the arguments are not understood.
var errUsage = errors.New("wrong usage")

// Main writes the document and returns the exit status: 1 if that failed, 2 for wrong
// usage.
func Main(args []string, in io.Reader, out, complaints io.Writer) int {
	err := run(args, in, out, complaints)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(complaints, "sbom: %v\n", err)
		return 2
	}
	fmt.Fprintf(complaints, "sbom: %v\n", err)
	return 1
}

func run(args []string, in io.Reader, out, complaints io.Writer) error {
	flags := flag.NewFlagSet("sbom", flag.ContinueOnError)
	flags.SetOutput(complaints)
	version := flags.String("version", "", "the binary's `version`")
	created := flags.Int64("created", 0, "when it was made, in `seconds` since 1970")
	if err := flags.Parse(args); err != nil {
		return usage(err)
	}
	if flags.NArg() != 1 || *version == "" {
		return fmt.Errorf("%w: sbom -version VERSION [-created SECONDS] BINARY", errUsage)
	}
	linked, err := readParts(in)
	if err != nil {
		return err
	}
	made, err := readBinary(flags.Arg(0))
	if err != nil {
		return err
	}
	made.version, made.created = *version, time.Unix(*created, 0)
	made.linked = linked
	return write(out, newDocument(made))
}

// usage makes an error one of usage, but for the wish for help.
func usage(err error) error {
	if errors.Is(err, flag.ErrHelp) {
		return err
	}
	return fmt.Errorf("%w: %w", errUsage, err)
}
