package cli_test

import (
	"bytes"
	"os"

	"imds-analyzer/cli"
)

// panics, as the value of asProgram, is a program of which a goroutine panics when the first
// call is written.
const panics = "panics"

// panicking is its standard output.
type panicking struct{}

func (panicking) Write(text []byte) (int, error) {
	if bytes.Contains(text, []byte(`"imds.call"`)) {
		panic("the output is broken")
	}
	return len(text), nil
}

func runPanicking() int {
	streams := cli.StandardStreams()
	streams.Out = panicking{}
	return cli.Main(os.Args[1:], streams)
}
