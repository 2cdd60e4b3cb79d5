package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Errors of a run.
var (
	errUsage = errors.New("wrong usage")
	// errFailed: the program has broken a promise, or what was to be shown was not made;
	// which, stands below the rows.
	errFailed = errors.New("checks failed")
)

// plan is what to measure, as the flags say.
type plan struct {
	binary, client string
	parts          []string
	kinds          []kind
	rates          []int
	seconds        int
	quiet          time.Duration
	pairs          int
	document       string // where tables go; none if it is empty
}

// The parts, in the order in which they run.
const (
	partRates   = "rates"
	partStall   = "stall"
	partBeyond  = "beyond"
	partTraffic = "traffic"
	partLatency = "latency"
	partCost    = "cost"
	partIdle    = "idle"
)

func allParts() []string {
	return []string{partRates, partStall, partBeyond, partTraffic, partLatency, partCost, partIdle}
}

// parsePlan reads the flags and the names of parts. What is wrong with the flags is
// said on out.
func parsePlan(args []string, out io.Writer) (*plan, error) {
	p := &plan{}
	var kindNames, rates string
	flags := flag.NewFlagSet("bench-load", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() {
		fmt.Fprintf(out, "usage: bench-load [flags] [PART...], of %s; all if none is named\n", strings.Join(allParts(), ", "))
		flags.PrintDefaults()
	}
	flags.StringVar(&p.binary, "binary", "", "the program under test, `FILE`")
	flags.StringVar(&p.client, "client", "", "the program that is built from scripts/bench/client.c, `FILE`")
	flags.StringVar(&kindNames, "kinds", allKinds(), "rates, stall: kinds of clients")
	flags.StringVar(&rates, "rates", "100,1000,2000,4000,8000,16000", "rates: calls a second, each until something was lost or the machine makes no more")
	flags.IntVar(&p.seconds, "seconds", 5, "how long calls are made for a row; other parts take multiples of it")
	flags.DurationVar(&p.quiet, "quiet", 5*time.Minute, "idle: how long nothing is done")
	flags.IntVar(&p.pairs, "pairs", 7, "traffic: rounds with and without the program")
	flags.StringVar(&p.document, "doc", "", "put the tables behind their marks in this `FILE`, too: those of parts in which no check failed")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return nil, err
		}
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	if err := p.fill(kindNames, rates, flags.Args()); err != nil {
		return nil, fmt.Errorf("%w: %w", errUsage, err)
	}
	return p, nil
}

// fill reads the lists, and checks the rest.
func (p *plan) fill(kindNames, rates string, parts []string) error {
	for name := range strings.SplitSeq(kindNames, ",") {
		k, ok := kindNamed(name)
		if !ok {
			return fmt.Errorf("-kinds takes some of %s, not %q", allKinds(), name)
		}
		p.kinds = append(p.kinds, k)
	}
	for text := range strings.SplitSeq(rates, ",") {
		rate, err := strconv.Atoi(text)
		if err != nil || rate < 1 {
			return fmt.Errorf("-rates takes numbers from 1 on, not %q", text)
		}
		p.rates = append(p.rates, rate)
	}
	for _, name := range parts {
		if !slices.Contains(allParts(), name) {
			return fmt.Errorf("there is no part %q, but %s", name, strings.Join(allParts(), ", "))
		}
	}
	p.parts = parts
	switch {
	case p.seconds < 1 || p.pairs < 1 || p.quiet <= 0:
		return errors.New("-seconds and -pairs are at least 1, and -quiet is more than 0")
	case p.binary == "" || p.client == "":
		return errors.New("-binary and -client are needed")
	}
	return nil
}

// wants says whether the part is to be run.
func (p *plan) wants(part string) bool { return len(p.parts) == 0 || slices.Contains(p.parts, part) }
