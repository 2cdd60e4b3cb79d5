package report

import (
	"math"
	"testing"

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
