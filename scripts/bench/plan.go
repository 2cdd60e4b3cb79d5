package main

import (
	"flag"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// plan is what to measure, as the flags say.
type plan struct {
	binary, client string
	ways           []string
	topologies     []string
	kinds          []kind
	atOnce         []int
	processes      []int
	calls          int
	containerCalls int
	delay          time.Duration
	showWrong      int
	json           string
	cost           bool
	containers     int // that come and go; 0: that is not measured
}

// With the seven kinds, three numbers at once and two loads directCalls makes
// 30,240 calls a way, and containerCalls 4,032 in each of the other topologies.
const (
	directCalls    = 720
	containerCalls = 96
)

// parsePlan reads the flags. What is wrong with them is said on out.
func parsePlan(args []string, out io.Writer) (*plan, error) {
	var p plan
	var ways, topologies, kindNames, atOnce, processes string
	flags := flag.NewFlagSet("bench-attribution", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.StringVar(&p.binary, "binary", "", "the program under test")
	flags.StringVar(&p.client, "client", "", "the program that is built from client.c")
	flags.StringVar(&ways, "ways", "tracepoint,sock_diag,proc", "ways of finding processes, each tried alone; any: what the program chooses")
	flags.StringVar(&topologies, "topologies", strings.Join(topologyNames, ","), "where clients run, and what is between them and the service")
	flags.StringVar(&kindNames, "kinds", allKinds(), "kinds of clients")
	flags.StringVar(&atOnce, "at-once", "1,8,32", "how many clients run at once")
	flags.StringVar(&processes, "load", "0,1500", "how many more processes there are, each with 10 open files")
	flags.IntVar(&p.calls, "calls", directCalls, "calls of each kind, at once and load, on the host")
	flags.IntVar(&p.containerCalls, "container-calls", containerCalls, "calls of each in each topology with containers")
	flags.DurationVar(&p.delay, "delay", 0, "how long the service takes to answer")
	flags.IntVar(&p.showWrong, "show-wrong", 0, "show so many calls of each run that are wrong, missing or without a process")
	flags.StringVar(&p.json, "json", "", "write the result to this file, as JSON")
	flags.BoolVar(&p.cost, "cost", false, "measure what the program costs instead")
	flags.IntVar(&p.containers, "churn", 0, "see instead what the program keeps of so many containers that come and go")
	if err := flags.Parse(args); err != nil {
		return nil, err
	}
	p.ways, p.topologies = strings.Split(ways, ","), strings.Split(topologies, ",")
	return &p, p.fill(kindNames, atOnce, processes, flags.NArg())
}

func allKinds() string {
	names := make([]string, len(kinds))
	for i, k := range kinds {
		names[i] = k.name
	}
	return strings.Join(names, ",")
}

// callsIn is how many calls there are of a cell in the topology.
func (p *plan) callsIn(topology string) int {
	if topology == direct {
		return p.calls
	}
	return p.containerCalls
}

// cells are the conditions in one topology under one load.
func (p *plan) cells(topology string, processes int) []cell {
	var all []cell
	for _, k := range p.kinds {
		for _, n := range p.atOnce {
			all = append(all, cell{topology, k.name, n, processes})
		}
	}
	return all
}

// fill reads the lists, and checks the rest.
func (p *plan) fill(kindNames, atOnce, processes string, arguments int) (err error) {
	for name := range strings.SplitSeq(kindNames, ",") {
		k := kindNamed(name)
		if k == nil {
			return fmt.Errorf("-kinds takes some of %s, not %q", allKinds(), name)
		}
		p.kinds = append(p.kinds, *k)
	}
	for _, name := range p.topologies {
		if !slices.Contains(topologyNames, name) {
			return fmt.Errorf("-topologies takes some of %s, not %q", strings.Join(topologyNames, ","), name)
		}
	}
	if p.atOnce, err = numbers("-at-once", atOnce, 1); err != nil {
		return err
	}
	if p.processes, err = numbers("-load", processes, 0); err != nil {
		return err
	}
	switch {
	case arguments > 0:
		return fmt.Errorf("there are only flags, see -help")
	case p.containers < 0 || p.containers > 0 && p.cost:
		return fmt.Errorf("-churn is not negative, and not for -cost")
	case p.calls < 1 || p.containerCalls < 1 || p.delay < 0:
		return fmt.Errorf("-calls and -container-calls are at least 1, and -delay not negative")
	case p.binary == "" || p.client == "":
		return fmt.Errorf("-binary and -client are needed")
	}
	return nil
}

// numbers reads a list of numbers.
func numbers(name, list string, least int) ([]int, error) {
	var all []int
	for text := range strings.SplitSeq(list, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < least || n > maxNumber {
			return nil, fmt.Errorf("%s takes numbers from %d to %d, not %q", name, least, maxNumber, text)
		}
		all = append(all, n)
	}
	return all, nil
}

// maxNumber bounds how many processes there are at once: kernels have a limit
// of 32,768 (pid_max, proc_sys_kernel(5)), unless they are told otherwise.
const maxNumber = 10000
