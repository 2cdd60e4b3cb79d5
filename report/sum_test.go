package report

import (
	"math"
	"testing"
	"time"

	"imds-analyzer/output"
)

// Whatever lines say, no count begins again at 0.
func TestSumsDoNotWrap(t *testing.T) {
	b := New(week)
	for n := range 3 {
		e := call(v2, sequence(math.MaxUint64-uint64(n)), when(at(1)))
		e.IMDS.Version, e.Event.Action = "v1", "imds-v1-request"
		e.IMDS.Folded = output.Folded{Calls: math.MaxUint64 - 5, Reason: output.ReasonRate}
		b.Call(e)
	}
	if r := b.Report(); r.Calls.V1 != math.MaxUint64 || r.Hosts[0].Calls.V1 != math.MaxUint64 {
		t.Errorf("%+v", r.Calls)
	}
	one := tokenless{Succeeded: math.MaxUint32}
	one.merge(tokenless{Succeeded: 1})
	if one.Succeeded != math.MaxUint32 {
		t.Errorf("%+v", one)
	}
}

// half is a count of which two make 0, if they are added without care.
const half = 1 << 63

// Counts of captures that add up to more than there is room for are no silence.
func TestCountsDoNotWrap(t *testing.T) {
	for name, counts := range map[string][2]output.Counts{
		"of one capture": {{PacketsDroppedKernel: half, PacketsDroppedInterface: half}},
		"of two":         {{PacketsDroppedKernel: half}, {PacketsDroppedInterface: half}},
		"not read":       {{PacketsNotRead: half}, {PacketsNotRead: half}},
		"cut":            {{RequestsCut: new(uint64(half))}, {RequestsCut: new(uint64(half))}},
		"not captured":   {{ConnectionsWithoutPackets: new(uint64(half))}, {ConnectionsWithoutPackets: new(uint64(half))}},
		"partial":        {{RequestsPartial: half}, {RequestsPartial: half}},
		"gaps":           {{RequestGaps: half}, {RequestGaps: half}},
		"not HTTP/1":     {{StreamsNotHTTP: half}, {StreamsNotHTTP: half}},
		"late":           {{FilesLate: half}, {FilesLate: half}},
		"evicted":        {{ConnectionsEvicted: half}, {ConnectionsEvicted: half}},
		"unmatched":      {{ResponsesUnmatched: half}, {ResponsesUnmatched: half}},
		"not logged":     {{CallsV1: half, CallsUnknown: half}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, hosts := range [][]string{{"web-1", "web-1"}, {"web-1", "web-2"}} {
				b := New(week)
				for i, host := range hosts {
					c := capture{host: host, boot: "b" + host, started: at(float64(10 * i)), uptime: 20, counts: counts[i]}
					b.Lifecycle(c.start())
					b.Lifecycle(c.stop(at(float64(10*i + 9))))
				}
				if r := b.Report(); r.Verdict.Status == Ready || len(r.Verdict.Missing) == 0 || r.Verdict.Missing[0].Count < half {
					t.Errorf("%q: %+v", hosts, r.Verdict)
				}
			}
		})
	}
}

// A program with as many calls of both kinds is none of version 2 alone.
func TestProgramsDoNotWrap(t *testing.T) {
	b := New(week)
	for n, version := range []change{func(*output.Entry) {}, unknownCall} {
		b.Call(call(version, sequence(uint64(n+1)), process("/usr/bin/curl"), func(e *output.Entry) {
			e.IMDS.Folded = output.Folded{Calls: half, Reason: output.ReasonRate, Several: output.SeveralPrograms}
		}))
	}
	if r := b.Report(); len(r.Programs) != 1 || r.Programs[0].Calls.V1 != half || r.Programs[0].Calls.Unknown != half || r.Verdict.Status != NotReady {
		t.Errorf("%+v", r)
	}
	if got := longer(math.MaxInt64, time.Hour); got != math.MaxInt64 {
		t.Errorf("%v", got)
	}
	if Sum(half, half) != math.MaxUint64 || Sum(1, 2) != 3 {
		t.Error("counts wrap")
	}
}
