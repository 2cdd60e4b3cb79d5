// Command bench measures how often the program names the right process for a
// call, and what that costs. See docs/benchmark.md.
package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdout, os.Stderr)) }

// errWrong: an answer was wrong, which is worse than none.
var errWrong = errors.New("there are wrong answers")

// Main runs the benchmark and returns its exit status: 1 if an answer was
// wrong or the benchmark failed, 2 for wrong usage.
func Main(args []string, out, complaints io.Writer) int {
	plan, err := parsePlan(args, complaints)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	status := 2
	if err == nil {
		status, err = 1, plan.run(out)
	}
	if err != nil {
		fmt.Fprintf(complaints, "bench-attribution: %v\n", err)
		return status
	}
	return 0
}

func (p *plan) run(out io.Writer) (err error) {
	b, err := newBench(p, out)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	go b.endOnSignal()
	if p.cost {
		return b.costs(fullEffort())
	}
	if p.containers > 0 {
		return b.churns()
	}
	return b.attribution()
}

// save writes the result as JSON where the plan says.
func (p *plan) save(result any) error {
	if p.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(result, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(p.json, append(text, '\n'), 0o644)
}
