package output

import (
	"reflect"
	"testing"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// TestCallers makes entries one after the other, each as if it were the only one.
func TestCallers(t *testing.T) {
	web, other := testProcess(), testProcess()
	other.PID, other.Name, other.Ancestors = 17, "curl", nil
	unit := func(name string) identity.Identity { return identity.Identity{Workload: identity.Workload{Unit: name}} }
	byScript := identity.Identity{Software: identity.Software{Elsewhere: true, Generation: 1,
		Caller: identity.Script{Kind: identity.ScriptFile, Name: "/opt/app/run it.sh", Path: "/opt/app/run it.sh"}}}
	var callers Callers
	for _, tt := range []struct {
		name string
		p    *attribution.Process
		i    identity.Identity
	}{
		{"one", web, unit("web.service")},
		{"the same again", web, unit("web.service")},
		{"another", other, unit("web.service")},
		{"the first with another identity", web, byScript},
		{"and again", web, byScript},
		{"and with the first", web, unit("web.service")},
		{"of whom nothing is known", nil, identity.Identity{}},
		{"of whom the workload is known", nil, unit("web.service")},
		{"of whom another is", nil, unit("db.service")},
	} {
		r := testRecord(func(r *Record) { r.Answer.Process, r.Identity = tt.p, tt.i })
		if got, want := described(&callers, r), NewEntry(r, testHost); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, not %+v", tt.name, got, want)
		}
	}
}

func TestCallersAreBounded(t *testing.T) {
	var callers Callers
	for range 3 * maxCallers {
		described(&callers, testRecord())
		if n := len(callers.known); n > maxCallers {
			t.Fatalf("%d are held", n)
		}
	}
}

// described is the entry of a record, in which another one was.
func described(c *Callers, r Record) Entry {
	e := Entry{Labels: map[string]string{"a": "b"}, IMDS: IMDS{Incomplete: "snaplen", Findings: []string{"x"}}}
	c.Describe(&e, &r, &testHost)
	return e
}

// BenchmarkDescribe is of calls that are each of a process of its own, and of one.
func BenchmarkDescribe(b *testing.B) {
	var e Entry
	r := testRecord()
	b.Run("anew", func(b *testing.B) {
		for b.Loop() {
			new(Callers).Describe(&e, &r, &testHost)
		}
	})
	b.Run("again", func(b *testing.B) {
		var callers Callers
		for b.Loop() {
			callers.Describe(&e, &r, &testHost)
		}
	})
}
