package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// plan is what to measure, as the flags say.
type plan struct {
	binary, data, json   string
	rounds, tsharkRounds int
	contests             []contest
}

// parsePlan reads the flags. What is wrong with them is said on complaints.
func parsePlan(args []string, complaints io.Writer) (*plan, error) {
	var p plan
	var files string
	flags := flag.NewFlagSet("bench-files", flag.ContinueOnError)
	flags.SetOutput(complaints)
	flags.StringVar(&p.binary, "binary", "", "the `program` under test")
	flags.StringVar(&p.data, "data", "", "the `directory` of the capture files, 2.4 GB; those that are not there are made")
	flags.StringVar(&p.json, "json", "", "write the result to this `file`, as JSON")
	flags.IntVar(&p.rounds, "rounds", 5, "how often each file is read by each")
	flags.IntVar(&p.tsharkRounds, "tshark-rounds", 1, "in how many of the rounds tshark takes part, which needs minutes")
	flags.StringVar(&files, "files", "haystack,needles,disorder,open,start", "which files")
	if err := flags.Parse(args); err != nil {
		return nil, usage(err)
	}
	if err := p.choose(strings.Split(files, ",")); err != nil {
		return nil, usage(err)
	}
	return &p, p.check(flags.Args())
}

func (p *plan) check(rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("%w: %q is no flag", errUsage, rest[0])
	case p.binary == "" || p.data == "":
		return fmt.Errorf("%w: -binary and -data are needed", errUsage)
	case p.rounds < 1 || p.tsharkRounds < 0:
		return fmt.Errorf("%w: there is at least one round, and none or more of tshark", errUsage)
	}
	return nil
}

// choose keeps the contests about these files.
func (p *plan) choose(files []string) error {
	if _, err := pick(files); err != nil {
		return err
	}
	p.contests = slices.DeleteFunc(contests(), func(c contest) bool { return !slices.Contains(files, c.file) })
	return nil
}

// takesPart says whether a reader reads in a round, counted from 0.
func (p *plan) takesPart(reader string, round int) bool {
	return reader != tshark || round < p.tsharkRounds
}

// findTools says which program is not there, before anything is measured.
func (p *plan) findTools() error {
	for _, tool := range []string{tcpdump, tshark} {
		needed := slices.ContainsFunc(p.contests, func(c contest) bool {
			return slices.Contains(c.readers, tool) && p.takesPart(tool, 0)
		})
		if !needed {
			continue
		}
		if err := findTool(tool); err != nil {
			return err
		}
	}
	return nil
}
