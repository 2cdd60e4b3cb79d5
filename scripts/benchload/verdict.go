package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// verdict is what the log says of the calls that were made.
type verdict struct {
	made   int
	logged int // of all lines, those folded with their number
	// Of the lines that name a call: the caller is named, is named by guess or among
	// others, is none, is another, whatever the status.
	right, doubted, none, wrong int
	firstWrong                  string
	unknown, version            int // version not known, and another one
	twice, strays               int // a call in two lines, and one that nobody made
	stopped                     bool
	counts                      counts
	exit                        int
	summary                     string // what the program said at its end
}

// judge holds a log against what the service has answered. Lines that stand for several
// calls count, and are not looked into.
func judge(calls map[string]access, read func(take func(entry)) error) (*verdict, error) {
	v := &verdict{made: len(calls)}
	seen := make(map[string]bool, len(calls))
	err := read(func(e entry) {
		switch {
		case e.Event.Action == captureStopped:
			v.stopped, v.counts = true, e.IMDS.Capture
		case e.Event.Dataset != callDataset:
		case e.IMDS.Folded.Calls > 0:
			v.logged += e.IMDS.Folded.Calls
		default:
			v.logged++
			v.takeCall(&e, calls, seen)
		}
	})
	return v, err
}

func (v *verdict) takeCall(e *entry, calls map[string]access, seen map[string]bool) {
	target := e.URL.Original
	a, made := calls[target]
	switch {
	case !made:
		v.strays++
		return
	case seen[target]:
		v.twice++
		return
	}
	seen[target] = true
	v.takeVersion(e.IMDS.Version, a.version)
	v.takeProcess(e, a.pid)
}

func (v *verdict) takeVersion(said, is string) {
	switch said {
	case is:
	case "unknown":
		v.unknown++
	default:
		v.version++
	}
}

func (v *verdict) takeProcess(e *entry, pid int) {
	switch {
	case e.Process.PID == 0:
		v.none++
	case e.Process.PID == pid && e.IMDS.Attribution.Status == "resolved":
		v.right++
	case e.names(pid):
		v.doubted++
	default:
		v.wrong++
		v.firstWrong = cmp.Or(v.firstWrong, fmt.Sprintf("%s of %d at %s: pid %d, %s by %s", e.URL.Original, pid,
			e.Time.Format(time.StampMicro), e.Process.PID, e.IMDS.Attribution.Status, e.IMDS.Attribution.Method))
	}
}

// names says whether a process is the one that is named, or among the candidates.
func (e *entry) names(pid int) bool {
	for _, c := range e.IMDS.Attribution.Candidates {
		if c.PID == pid {
			return true
		}
	}
	return e.Process.PID == pid
}

// lost says whether something is missing, or was not told in full.
func (v *verdict) lost() bool {
	return v.logged < v.made || v.counts.Dropped+v.counts.Evicted+v.counts.NotWritten+v.unknown > 0
}

// found says whether each call's caller was found.
func (v *verdict) found() bool { return v.right == v.made }

// exitPartial is the program's exit status where packets were lost.
const exitPartial = 3

// losses are a fault where the load is one that has to be taken in without any.
func (v *verdict) losses() (all faults) {
	c := v.counts
	all.add(v.lost(), "%d of %d calls are in the log, %d with an unknown version; the kernel dropped %d packets, %d connections were evicted, %d entries not written",
		v.logged, v.made, v.unknown, c.Dropped, c.Evicted, c.NotWritten)
	return all
}

// unnamed is a fault where each call has to have its process.
func (v *verdict) unnamed() (all faults) {
	all.add(!v.found(), "%d of %d calls have their process", v.right, v.made)
	return all
}

// faults are what a check has found.
type faults []string

func (f *faults) add(is bool, format string, args ...any) {
	if is {
		*f = append(*f, fmt.Sprintf(format, args...))
	}
}

// broken lists the promises that were not kept: whatever the load, nothing is wrong,
// and no call is missing without a count that says so.
func (v *verdict) broken() (all faults) {
	c := v.counts
	all.add(!v.stopped, "the log has no end")
	all.add(v.wrong > 0, "%d calls have another's process, the first %s", v.wrong, v.firstWrong)
	all.add(v.version > 0, "%d calls have the other version", v.version)
	all.add(v.twice+v.strays > 0, "%d calls are there twice, and %d that nobody made", v.twice, v.strays)
	all.add(v.logged > v.made, "%d calls are in the log, and %d were made", v.logged, v.made)
	all.add(v.logged < v.made && c.Dropped+c.Evicted+c.NotWritten == 0, "%d calls are missing, and no count says so", v.made-v.logged)
	all.add(v.stopped && v.logged+c.NotWritten < c.V1+c.V2+c.Unknown, "%d calls were counted, and %d are in the log", c.V1+c.V2+c.Unknown, v.logged)
	all.add(c.Dropped > 0 && v.exit != exitPartial, "%d packets were dropped, and the exit status is %d", c.Dropped, v.exit)
	all.add(c.Dropped == 0 && v.exit != 0, "the exit status is %d", v.exit)
	all.add(c.Dropped > 0 && !strings.Contains(v.summary, fmt.Sprintf("%d dropped by the kernel", c.Dropped)), "the summary does not tell of %d dropped packets", c.Dropped)
	return all
}
