// Command manpage writes the program's manual page to standard output: a text with the
// commands, flags and examples of the program itself in it, so that they are those of its
// help. scripts/build-manual, build-release and build-packages run it.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"imds-analyzer/cli"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintf(os.Stderr, "manpage: %v\n", err)
		os.Exit(1)
	}
}

// run writes the page of the one text that is named.
func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("manpage", flag.ContinueOnError)
	version := flags.String("version", "", "the program's `version`")
	seconds := flags.Int64("date", 0, "the page's date, in `seconds` of Unix time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return errors.New("it takes the name of one text, as packaging/imds-analyzer.8")
	}
	text, err := os.ReadFile(flags.Arg(0))
	if err != nil {
		return err
	}
	return writePage(out, string(text), page{cli.Command(), *version, time.Unix(*seconds, 0).UTC()})
}
