package steps

import "fmt"

// requireRunning are the steps for instances that run: a loop for those that are ready,
// and a command for one.
func requireRunning(s *Situation) []Step {
	ready := s.that(isReady)
	others := len(s.that(isPending)) + s.Unknown
	switch {
	case len(ready) > 1 && others > 0:
		return []Step{requireOne(s, nil), requireMany(s, ready)}
	case len(ready) > 1:
		return []Step{requireMany(s, ready)}
	case len(ready)+others > 0:
		return []Step{requireOne(s, s.only(ready))}
	}
	return nil // it is required everywhere
}

func requireOne(s *Situation, i *Instance) Step {
	ready := s.Ready
	text := "This takes effect within seconds, and needs no restart."
	switch {
	case i == nil:
		text = "Put the id of an instance that is ready in the place of INSTANCE_ID. " + text
	case i.Ready:
		ready = true
	}
	p := s.page().of(i)
	return Step{
		ID:    "require-running",
		Title: whenReady("Require version 2 on a running instance", ready),
		Text:  text,
		Ways: []Way{
			p.way("AWS CLI", "require-running.sh"),
			p.way("AWS CLI, to see what is set", "look.sh"),
		},
		Undo:   []Way{p.optional().way("AWS CLI", "require-running.sh")},
		Source: userGuide + "configuring-IMDS-existing-instances.html",
	}
}

func requireMany(s *Situation, ready []Instance) Step {
	p := s.page()
	p.Instances = ready
	return Step{
		ID:     "require-many",
		Title:  "Require version 2 on all instances that are ready",
		Text:   fmt.Sprintf("These are the %d that are ready. What fails is said on standard error, and the loop goes on.", len(ready)),
		Ways:   []Way{p.way("AWS CLI", "require-many.sh")},
		Undo:   []Way{p.optional().way("AWS CLI", "require-many.sh")},
		Source: userGuide + "configuring-IMDS-existing-instances.html",
	}
}

// HopLimit is the id of the step that raises the hop limit.
const HopLimit = "hop-limit"

// RaiseHopLimit is the command of that step for one instance; empty if its id, its region
// or the limit that its clients need is not known.
func RaiseHopLimit(i Instance) string {
	s := Situation{Instances: []Instance{i}}.trusted()
	if len(s.Instances) == 0 || s.Instances[0].Region == "" || s.Instances[0].HopLimit == 0 {
		return ""
	}
	p := s.page().of(&s.Instances[0])
	p.HopLimit = hops(s.Instances[0].HopLimit)
	return p.fill("hop-limit.sh")
}

// hopLimit raises the limit where answers with a token do not reach their clients.
func hopLimit(s *Situation) []Step {
	if !s.HopLimitTooLow {
		return nil
	}
	few := s.that(needsHops)
	p := s.page()
	p.HopLimit = s.missingHops()
	step := Step{
		ID:    HopLimit,
		Title: "Raise the hop limit",
		Text: "Answers with a token do not reach clients in containers, which then go on without one. This can be done at once: " +
			"calls of version 1 are not affected by it. Or let the containers use the host's network, or credentials of their own.",
		Warning: "With a higher limit more of what runs in containers gets the credentials of the instance.",
		Source:  userGuide + "configuring-IMDS-existing-instances.html",
	}
	if len(few) > 1 {
		p.Instances = few
		step.Ways = []Way{p.way("AWS CLI", "hop-limit-many.sh"), p.way("AWS CLI, to see what is set before", "look-many.sh")}
	} else {
		if len(few) == 1 {
			p = p.of(&few[0])
			p.HopLimit = hops(few[0].HopLimit)
		}
		step.Ways = []Way{p.way("AWS CLI", "hop-limit.sh"), p.way("AWS CLI, to see what is set before", "look.sh")}
	}
	p.HopLimit = "PREVIOUS_HOP_LIMIT"
	step.Undo = []Way{p.way("AWS CLI", "hop-limit.sh")}
	return []Step{step}
}

// missingHops is what all have enough with.
func (s *Situation) missingHops() string {
	if s.HopLimitUnknown {
		return hops(0)
	}
	return hops(s.HopLimit)
}
