package main

import (
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"time"
)

// client is what is true of an honest client.
type client struct {
	process
	Args   []string
	UserID string
	Parent int
	// It was started between these, by the clock of the machine.
	After, Before time.Time
}

// outcome is what becomes of a call in the log.
type outcome int

const (
	right         outcome = iota
	partly                // told without all that is known of its caller
	missing               // not told, or not with its version or answer
	unknownCaller         // told without its caller
	wrongCall             // told twice, or as what it was not
	wrongCaller           // told as another's
)

// check is one thing that has to be so.
type check struct {
	what       string
	told, true any
	unknown    bool    // nothing is told
	then       outcome // what it is if nothing is told
}

// heldAgainst holds a call against the lines about it, of which there has to be one.
func (a access) heldAgainst(lines []entry, c client) (outcome, string) {
	return held(lines, a.Method, a.version(), false, a.From, c)
}

// tokenHeldAgainst does so for the token request before it, on the same connection.
func (a access) tokenHeldAgainst(lines []entry, c client) (outcome, string) {
	is, why := held(lines, http.MethodPut, callV2, true, a.From, c)
	return is, "token request: " + why
}

func held(lines []entry, method, version string, token bool, from string, c client) (outcome, string) {
	switch len(lines) {
	case 0:
		return missing, "not told"
	case 1:
	default:
		return wrongCall, fmt.Sprintf("told %d times", len(lines))
	}
	e := lines[0]
	if is, why := worst(callChecks(e, method, version, token, from), wrongCall); is != right {
		return is, why
	}
	return worst(callerChecks(e, c), wrongCaller)
}

// worst returns what is wrong, or else what is unknown and matters most.
func worst(checks []check, wrong outcome) (is outcome, why string) {
	for _, k := range checks {
		switch {
		case k.unknown && k.then > is:
			is, why = k.then, k.what+" unknown"
		case !k.unknown && k.told != k.true:
			return wrong, fmt.Sprintf("%s %v is told as %v", k.what, k.true, k.told)
		}
	}
	return is, why
}

func callChecks(e entry, method, version string, token bool, from string) []check {
	known := e.IMDS.Version == callV1 || e.IMDS.Version == callV2
	told, status := e.HTTP.Request.Method, e.HTTP.Response.Status
	return []check{
		{"version", e.IMDS.Version, version, !known, missing},
		{"token request", e.IMDS.TokenRequest, token, !known, missing},
		{"method", told, method, told == "", missing},
		{"status", status, http.StatusOK, status == 0, missing},
		{"client", net.JoinHostPort(e.Source.IP, strconv.Itoa(e.Source.Port)), from, false, missing},
	}
}

// startSlack is how exactly it is told when a process was started: the kernel counts it
// in ticks of 10 ms from the boot (proc_pid_stat(5)), and the clock may be set slowly.
const startSlack = time.Second

// callerChecks: the pid has to be known. What else there is of a process that ends at once
// the log may not have; if it has it, it has to be so.
func callerChecks(e entry, c client) []check {
	p := e.Process
	inTime := p.Start.After(c.After.Add(-startSlack)) && p.Start.Before(c.Before.Add(startSlack))
	return []check{
		{"pid", p.PID, c.PID, p.PID == 0, unknownCaller},
		{"executable", p.Executable, c.Executable, p.Executable == "", partly},
		{"name", p.Name, c.Name, p.Name == "", partly},
		{"user", e.User.ID, c.UserID, e.User.ID == "", partly},
		{"arguments", slices.Equal(p.Args, c.Args), true, p.Args == nil, right},
		{"start in time", inTime, true, p.Start.IsZero(), right},
		{"parent", p.Parent.PID, c.Parent, p.Parent.PID == 0, right},
	}
}
