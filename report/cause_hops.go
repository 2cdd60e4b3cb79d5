package report

import (
	"fmt"
	"slices"

	"imds-analyzer/report/steps"
)

// addHopLimits says what to do where a hop limit is too low. That takes the hosts as the
// report has them, and the steps.
func (r *Report) addHopLimits() {
	hosts := map[*host]*Host{}
	for i := range r.Hosts {
		hosts[r.Hosts[i].of] = &r.Hosts[i]
	}
	for i := range r.Programs {
		p := &r.Programs[i]
		for j := range p.Causes {
			if c := &p.Causes[j]; c.hops {
				c.Todo, c.Lines = r.raiseHops(hostsWithFewHops(p, hosts))
			}
		}
	}
}

// hostsWithFewHops are those of a program's hosts whose limit is too low.
func hostsWithFewHops(p *Program, hosts map[*host]*Host) (need []*Host) {
	for i := range p.shares {
		if h := hosts[p.shares[i].host]; h != nil && h.Options.hopsTooFew {
			need = append(need, h)
		}
	}
	return need
}

// raiseHops has the command in it if it is for one instance that is known, and otherwise
// leads to the step that has it.
func (r *Report) raiseHops(need []*Host) (todo, command string) {
	const rest = " Then restart the program, so that it asks anew. " +
		"Or let the container use the host's network, or give it credentials of its own, as pods and tasks can have."
	if len(need) == 1 {
		h := need[0]
		command = steps.RaiseHopLimit(steps.Instance{ID: h.Instance, Region: h.Region, HopLimit: h.neededHops()})
	}
	switch {
	case command != "":
		return fmt.Sprintf("Raise the hop limit of %s to %d, with the lines below.", need[0].Name, need[0].neededHops()) + rest, command
	case slices.ContainsFunc(r.Steps, func(s steps.Step) bool { return s.ID == steps.HopLimit }):
		return "Raise the hop limit: see the step that does so, below." + rest, ""
	}
	return "Raise the hop limit, unless that was done meanwhile." + rest, "" // it was seen to be high enough
}
