package main

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// maxRSS is the most memory that the program may take, KiB.
const maxRSS = 64 << 10

// leastHonest is the part of the honest calls that must have been answered, unless the
// attack says less because it leaves the processors no time for them.
const leastHonest = 0.8

// verdict is how an attack went.
type verdict struct {
	// Due is the number of honest calls for which there was time, and LeastHonest the
	// part of it that the service must have answered, or nothing was shown.
	Due         int
	LeastHonest float64
	// Made is the number of honest calls that the service has answered, Reported those
	// of them that the log has with what was asked for, and Right those that it
	// gives to the right process.
	Made, Reported, Right int
	// Unknown are those that are not in the log, or not with all that is asked for;
	// Wrong are those of which it says what is not so. Partly are those of the right ones
	// whose executable, name or user is left out.
	Unknown, Wrong, Partly int
	// Missing are the first honest calls that are unknown, or wrong.
	Missing []string
	// Others is how many calls of attackers the service has answered, OthersReported
	// how many the log has, with the exact numbers of folded ones.
	Others, OthersReported uint64
	// Counts are those of the log's last line.
	Counts counts
	// PeakRSS is in KiB, CPU and Seconds in seconds.
	PeakRSS int64
	CPU     float64
	Seconds float64
	// Notes are what the attack has done, AtLeast is what of it makes it one.
	Notes, AtLeast map[string]uint64
	Stderr         string
	// Log is the service's.
	Log []access
	// MayLose is the attack's.
	MayLose bool
	// Other is what else is wrong. Failed is why there is no verdict.
	Other  []string
	Failed string
}

// attackers are the addresses of attackers. Calls by others, which the program may see
// on a machine with more network namespaces, are not of the attack.
var attackers = []netip.Prefix{
	netip.MustParsePrefix(localRange), netip.MustParsePrefix(local6Range),
	netip.MustParsePrefix(tunnelRange), netip.MustParsePrefix(tunnel6Range),
}

func isAttacker(ip string) bool {
	address, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(attackers, func(p netip.Prefix) bool { return p.Contains(address) })
}

// maxMissing is how many honest calls that are not right are told.
const maxMissing = 8

// told are the log's lines on honest calls and on the token requests for them, by target.
type told struct {
	calls, tokens map[string][]entry
	tokensFolded  uint64 // token requests of several that one line tells of
}

// judge holds the log against what the service has answered, and to whom.
func judge(log []entry, served served, clients map[string]client) *verdict {
	v := &verdict{Others: served.Others, Log: served.Log}
	honest := v.read(log)
	for _, a := range served.Log {
		if path, ok := strings.CutPrefix(a.Target, honestPath); ok {
			v.take(a, honest, clients[honestPath+path])
		}
	}
	return v
}

func (v *verdict) read(log []entry) *told {
	honest := &told{calls: make(map[string][]entry), tokens: make(map[string][]entry)}
	for _, e := range log {
		target := e.URL.Original
		switch {
		case e.Event.Dataset == "imds.capture" && e.IMDS.Capture != nil:
			v.Counts = *e.IMDS.Capture
		case strings.HasPrefix(target, honestPath):
			honest.calls[target] = append(honest.calls[target], e)
		case strings.HasPrefix(target, honestToken) && e.IMDS.Folded.Calls == 0:
			honest.tokens[target] = append(honest.tokens[target], e)
		case isAttacker(e.Source.IP):
			v.OthersReported += max(1, e.IMDS.Folded.Calls)
		case e.IMDS.TokenRequest:
			honest.tokensFolded += e.IMDS.Folded.Calls
		}
	}
	return honest
}

// take takes in an honest call, with the token request before it if there was one.
func (v *verdict) take(a access, honest *told, c client) {
	v.Made++
	is, why := a.heldAgainst(honest.calls[a.Target], c)
	if a.V2 && is <= partly {
		token, of := a.tokenHeldAgainst(honest.tokens[honestToken+a.Target], c)
		switch {
		case token == missing && honest.tokensFolded > 0:
			honest.tokensFolded--
		case token > is:
			is, why = token, of
		}
	}
	if is != missing && is != wrongCall {
		v.Reported++
	}
	switch is {
	case right:
		v.Right++
		return
	case partly:
		v.Right++
		v.Partly++
		return
	case missing, unknownCaller:
		v.Unknown++
	default:
		v.Wrong++
	}
	if len(v.Missing) < maxMissing {
		v.Missing = append(v.Missing, fmt.Sprintf("%s %s of pid %d: %s", a.version(), a.Target, c.PID, why))
	}
}

// faults are the reasons why an attack was not withstood, or none was made.
func (v *verdict) faults() []string {
	if v.Failed != "" {
		return []string{v.Failed}
	}
	return slices.Concat(v.memoryFaults(), v.floorFaults(), v.callFaults(), v.Other)
}

func (v *verdict) memoryFaults() []string {
	switch {
	case v.PeakRSS == 0:
		return []string{"its memory is not known"}
	case v.PeakRSS > maxRSS:
		return []string{fmt.Sprintf("%s of memory are more than %d MiB", mib(v.PeakRSS), maxRSS>>10)}
	}
	return nil
}

// answered is the note of an attacker's calls that the service has answered, accepted
// that of his connections that it has accepted: both by the service's own count.
const (
	answered = "answered"
	accepted = "accepted"
)

// floorFaults: an attack that did nothing shows nothing, and neither does one in which
// there were no honest clients.
func (v *verdict) floorFaults() (faults []string) {
	if v.Made == 0 || float64(v.Made) < v.LeastHonest*float64(v.Due) {
		faults = append(faults, fmt.Sprintf("%d honest calls were made where there was time for %d, of which %.0f %% have to be", v.Made, v.Due, 100*v.LeastHonest))
	}
	if len(v.AtLeast) == 0 {
		faults = append(faults, "it is not said what the attack must have done at least")
	}
	for _, what := range slices.Sorted(maps.Keys(v.AtLeast)) {
		if did := v.Notes[what]; did < v.AtLeast[what] {
			faults = append(faults, fmt.Sprintf("no attack: %s %d, and not %d", what, did, v.AtLeast[what]))
		}
	}
	return faults
}

// callFaults: what the kernel had no room for is forgiven where the attack is faster than
// can be, if the kernel says that it has lost a packet at least for each call that is not
// known in whole. What is said of a call and is not so is never forgiven.
func (v *verdict) callFaults() []string {
	forgiven := v.MayLose && uint64(v.Unknown) <= v.Counts.DroppedKernel
	if v.Wrong == 0 && (v.Unknown == 0 || forgiven) {
		return v.partFaults()
	}
	sum := fmt.Sprintf("%d honest calls made, %d reported, %d of the right process: %d unknown, %d wrong, with %d packets dropped",
		v.Made, v.Reported, v.Right, v.Unknown, v.Wrong, v.Counts.DroppedKernel)
	return append([]string{sum}, v.Missing...)
}

// mostPartly is the part of the calls told as the right process's that may lack its
// executable, name or user: a client that ends at once is not always looked at in time.
const mostPartly = 0.5

func (v *verdict) partFaults() []string {
	if float64(v.Partly) > mostPartly*float64(v.Right) {
		return []string{fmt.Sprintf("%d of %d honest calls are told without executable, name or user", v.Partly, v.Right)}
	}
	return nil
}

func mib(kib int64) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }
