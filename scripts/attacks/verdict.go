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

// verdict is how an attack went.
type verdict struct {
	// Made is the number of honest calls that the service has answered, Reported those
	// of them that the log has with what was asked for, and Right those that it
	// gives to the right process.
	Made, Reported, Right int
	// Missing are the first honest calls that are not there, or are wrong.
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
	Notes   map[string]uint64
	Stderr  string
	// Log is the service's.
	Log []access
	// MayLose is the attack's.
	MayLose bool
	// Other is what else is wrong.
	Other []string
}

// counts are what the program says of its capture.
type counts struct {
	Received           uint64 `json:"packets_received"`
	DroppedKernel      uint64 `json:"packets_dropped_kernel"`
	DroppedInterface   uint64 `json:"packets_dropped_interface"`
	V1                 uint64 `json:"calls_v1"`
	V2                 uint64 `json:"calls_v2"`
	Unknown            uint64 `json:"calls_unknown"`
	NotHTTP            uint64 `json:"streams_not_http"`
	Unmatched          uint64 `json:"responses_unmatched"`
	Evicted            uint64 `json:"connections_evicted"`
	EntriesNotWritten  uint64 `json:"entries_not_written"`
	EventsLost         uint64 `json:"events_lost"`
	WithoutPackets     uint64 `json:"connections_without_packets"`
	NetworkNamespaces  uint64 `json:"network_namespaces"`
	AttributionMissed  uint64 `json:"attribution_missed"`
	AttributedResolved uint64 `json:"attribution_resolved"`
}

// entry is what is read of a line of the log.
type entry struct {
	Event struct {
		Action  string `json:"action"`
		Dataset string `json:"dataset"`
	} `json:"event"`
	IMDS struct {
		Version      string `json:"version"`
		TokenRequest bool   `json:"token_request"`
		Folded       struct {
			Calls uint64 `json:"calls"`
		} `json:"folded"`
		Attribution struct {
			Status string `json:"status"`
		} `json:"attribution"`
		Capture *counts `json:"capture"`
	} `json:"imds"`
	HTTP struct {
		Response struct {
			Status int `json:"status_code"`
		} `json:"response"`
	} `json:"http"`
	URL struct {
		Original string `json:"original"`
	} `json:"url"`
	Source struct {
		IP   string `json:"ip"`
		Port int    `json:"port"`
	} `json:"source"`
	Process struct {
		PID int `json:"pid"`
	} `json:"process"`
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

// maxMissing is how many honest calls that are wrong are told.
const maxMissing = 8

// judge holds the log against what the service has answered, and to whom.
func judge(log []entry, served served, pids map[string]int) *verdict {
	v := &verdict{Others: served.Others, Log: served.Log}
	reported := make(map[string][]entry)
	for _, e := range log {
		switch {
		case e.Event.Dataset == "imds.capture" && e.IMDS.Capture != nil:
			v.Counts = *e.IMDS.Capture
		case strings.HasPrefix(e.URL.Original, honestPath):
			reported[e.URL.Original] = append(reported[e.URL.Original], e)
		case isAttacker(e.Source.IP):
			v.OthersReported += max(1, e.IMDS.Folded.Calls)
		}
	}
	for _, a := range served.Log {
		if strings.HasPrefix(a.Target, honestPath) {
			v.take(a, reported[a.Target], pids[a.Target])
		}
	}
	return v
}

// take takes in an honest call and the lines about it.
func (v *verdict) take(a access, lines []entry, pid int) {
	v.Made++
	if len(lines) != 1 || lines[0].IMDS.Version != a.version() || lines[0].HTTP.Response.Status != 200 {
		v.miss("%s of pid %d: %d lines, %s", a.Target, pid, len(lines), described(lines))
		return
	}
	v.Reported++
	if lines[0].Process.PID != pid {
		v.miss("%s is of pid %d, told is %s", a.Target, pid, described(lines))
		return
	}
	v.Right++
}

func described(lines []entry) string {
	var words []string
	for _, e := range lines {
		words = append(words, fmt.Sprintf("%s status %d by pid %d (%s)", e.IMDS.Version, e.HTTP.Response.Status, e.Process.PID, e.IMDS.Attribution.Status))
	}
	return strings.Join(words, "; ")
}

func (v *verdict) miss(format string, args ...any) {
	if len(v.Missing) < maxMissing {
		v.Missing = append(v.Missing, fmt.Sprintf(format, args...))
	}
}

// faults are the reasons why an attack was not withstood.
func (v *verdict) faults() []string {
	var faults []string
	if v.PeakRSS > maxRSS {
		faults = append(faults, fmt.Sprintf("%s of memory are more than %d MiB", mib(v.PeakRSS), maxRSS>>10))
	}
	switch {
	case v.Made == 0:
		faults = append(faults, "no honest call was made")
	case v.MayLose && v.Right < v.Made && v.Counts.DroppedKernel > 0:
		return append(faults, v.Other...)
	case v.Right < v.Made:
		faults = append(faults, fmt.Sprintf("%d honest calls made, %d reported, %d of the right process", v.Made, v.Reported, v.Right))
	}
	return slices.Concat(faults, v.Missing, v.Other)
}

func mib(kib int64) string { return fmt.Sprintf("%.1f MiB", float64(kib)/1024) }

const tableHead = "| attack | seconds | peak RSS | honest made/reported/right | attacker's calls answered/reported | packets, dropped | evicted | CPU s | |\n" +
	"| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n"

// row is the attack's line of the table.
func (v *verdict) row(name string) string {
	result := "pass"
	if len(v.faults()) > 0 {
		result = "FAIL"
	}
	return fmt.Sprintf("| %s | %.0f | %s | %d/%d/%d | %d/%d | %d, %d | %d | %.1f | %s |%s", name, v.Seconds, mib(v.PeakRSS),
		v.Made, v.Reported, v.Right, v.Others, v.OthersReported,
		v.Counts.Received, v.Counts.DroppedKernel+v.Counts.DroppedInterface, v.Counts.Evicted, v.CPU, result, v.told())
}

// told is what the attack and the program count besides.
func (v *verdict) told() string {
	var words []string
	for _, name := range slices.Sorted(maps.Keys(v.Notes)) {
		words = append(words, fmt.Sprintf("%s %d", name, v.Notes[name]))
	}
	if c := v.Counts; c.Unknown+c.NotHTTP+c.Unmatched > 0 {
		words = append(words, fmt.Sprintf("unknown %d, not HTTP %d, unmatched %d", c.Unknown, c.NotHTTP, c.Unmatched))
	}
	if len(words) == 0 {
		return ""
	}
	return " " + strings.Join(words, ", ")
}
