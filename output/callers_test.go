package output

import (
	"reflect"
	"slices"
	"strings"
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
		name   string
		p      *attribution.Process
		i      identity.Identity
		method attribution.Method
	}{
		{"one", web, unit("web.service"), attribution.Tracepoint},
		{"the same again", web, unit("web.service"), attribution.Tracepoint},
		{"another", other, unit("web.service"), attribution.Tracepoint},
		{"the first with another identity", web, byScript, attribution.Tracepoint},
		{"and again", web, byScript, attribution.Tracepoint},
		{"and with the first", web, unit("web.service"), attribution.Tracepoint},
		{"as a file has it", web, unit("web.service"), attribution.CaptureComment},
		{"of whom nothing is known", nil, identity.Identity{}, attribution.Tracepoint},
		{"of whom the workload is known", nil, unit("web.service"), attribution.Tracepoint},
		{"of whom another is", nil, unit("db.service"), attribution.Tracepoint},
	} {
		r := testRecord(func(r *Record) { r.Answer.Process, r.Identity = tt.p, tt.i })
		r.Answer.Method = tt.method
		if got, want := described(&callers, r), NewEntry(r, testHost); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, not %+v", tt.name, got, want)
		}
	}
}

// What is said of a process is made once, but for what files tell.
func TestCallersAreRemembered(t *testing.T) {
	var callers Callers
	once := func(r Record) bool {
		first, again := described(&callers, r), described(&callers, r)
		return &first.IMDS.Ancestors[0] == &again.IMDS.Ancestors[0]
	}
	if !once(testRecord()) {
		t.Error("the same is made twice")
	}
	if once(testRecord(func(r *Record) { r.Answer.Method = attribution.CaptureComment })) || len(callers.known) != 1 {
		t.Error("what a file tells is remembered")
	}
}

// However many processes come in turn, and whatever they are called with, what is remembered
// takes its room and no more, and is of use.
func TestCallersAreBounded(t *testing.T) {
	long := testProcess()
	long.Args = slices.Repeat([]string{strings.Repeat("'", 127)}, attribution.MaxArgsBytes/128)
	long.Ancestors = slices.Repeat([]attribution.Ancestor{{PID: 1, Args: []string{strings.Repeat("'", attribution.MaxAncestorArgsBytes)}}}, attribution.MaxAncestors)
	for _, tt := range []struct {
		name    string
		process *attribution.Process
		inTurn  int
		least   int
	}{{"usual", testProcess(), 500, 350}, {"long", long, 12, 7}} {
		var callers Callers
		records := make([]Record, tt.inTurn)
		for i := range records {
			own := *tt.process
			records[i] = testRecord(func(r *Record) { r.Answer.Process = &own })
		}
		again := 0
		for n := range 3 * len(records) {
			r := &records[n%len(records)]
			if callers.known[r.Answer.Process] != nil {
				again++
			}
			described(&callers, *r)
			sum := 0
			for _, c := range callers.known {
				sum += c.size()
			}
			if sum != callers.bytes || sum > maxCallersBytes {
				t.Fatalf("%s: %d callers take %d bytes, it says %d", tt.name, len(callers.known), sum, callers.bytes)
			}
		}
		if again == 0 || len(callers.known) < tt.least {
			t.Errorf("%s: of %d calls %d were of one of the %d that are remembered", tt.name, 3*len(records), again, len(callers.known))
		}
	}
}

// An identity that changes takes the place of the one before.
func TestCallersHaveOneIdentity(t *testing.T) {
	var callers Callers
	process := testProcess()
	for _, unit := range []string{"a.service", "b.service", "a.service"} {
		r := testRecord(func(r *Record) { r.Identity.Unit = unit })
		r.Answer.Process = process
		if e := described(&callers, r); e.Systemd.Unit != unit || len(callers.known) != 1 || callers.bytes != callers.known[process].size() {
			t.Errorf("%s: %+v, %d of %d bytes", unit, e.Systemd, len(callers.known), callers.bytes)
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

// Texts of any length count, wherever they are.
func TestCallerSizeHasAllTexts(t *testing.T) {
	long := strings.Repeat("x", 4<<10)
	for name, set := range map[string]func(*caller){
		"executable":         func(c *caller) { c.process.Executable = long },
		"argument":           func(c *caller) { c.process.Args = []string{long} },
		"command line":       func(c *caller) { c.process.CommandLine = long },
		"directory":          func(c *caller) { c.process.WorkingDirectory = long },
		"parent's argument":  func(c *caller) { c.process.Parent.Args = []string{long} },
		"ancestor":           func(c *caller) { c.ancestors = []Relative{{Executable: long}} },
		"ancestor's script":  func(c *caller) { c.ancestors = []Relative{{Script: long}} },
		"ancestor's package": func(c *caller) { c.ancestors = []Relative{{Package: Package{Name: long}}} },
		"script":             func(c *caller) { c.script.Path = long },
		"script's package":   func(c *caller) { c.script.Package.Version = long },
		"package":            func(c *caller) { c.software.Name = long },
		"image":              func(c *caller) { c.workload.Container.Image.Name = long },
	} {
		c := &caller{ancestors: []Relative{{}}}
		before := c.size()
		if set(c); c.size() < before+len(long) {
			t.Errorf("%s: %d bytes, %d without", name, c.size(), before)
		}
	}
}
