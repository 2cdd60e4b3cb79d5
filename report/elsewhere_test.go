package report

import (
	"bytes"
	"strings"
	"testing"

	"imds-analyzer/output"
)

func elsewhereExecutable(e *output.Entry) { e.IMDS.ExecutableElsewhere = true }

// A file that has the name of the host's only for itself is another program: it has a row
// of its own, says so, and is excused by nothing that was meant for the host's.
func TestElsewhereIsAnotherProgram(t *testing.T) {
	honest := call(process("/usr/bin/env"), unit("a.service"))
	other := call(process("/usr/bin/env"), unit("a.service"), elsewhereExecutable)
	other.IMDS.Script.Path = "/srv/nightly"
	for _, tt := range []struct {
		pattern       string
		honest, other bool
	}{
		{"/usr/bin/env", true, false},
		{"env", true, false},
		{"*env*", true, false},
		{"nightly", false, false},
		{"host's", false, false},
		{"a.service", true, true},
	} {
		b := take(New(Options{Ignore: []string{tt.pattern}}), honest, other)
		fromState := New(Options{Ignore: []string{tt.pattern}})
		if err := fromState.State(read(t, written(t, b.Snapshot()))); err != nil {
			t.Fatal(err)
		}
		r := fromState.Report()
		if len(r.Programs) != 2 {
			t.Fatalf("%d programs", len(r.Programs))
		}
		for _, p := range r.Programs {
			want, name := tt.honest, "a.service: /usr/bin/env"
			if p.ExecutableElsewhere {
				want, name = tt.other, "a.service: /usr/bin/env (not the host's) /srv/nightly"
			}
			if p.Ignored != want || p.Name != name || p.Executable != "/usr/bin/env" {
				t.Errorf("%q: %s, ignored: %v", tt.pattern, p.Name, p.Ignored)
			}
		}
		if (r.Verdict.Status == NotReady) != !(tt.honest && tt.other) {
			t.Errorf("%q: %s", tt.pattern, r.Verdict.Status)
		}
	}
}

// The text says so, also of programs with version 2 only.
func TestElsewhereIsSaid(t *testing.T) {
	r := take(New(Options{}), call(process("/usr/bin/env"), elsewhereExecutable), call(process("/usr/bin/id"), elsewhereExecutable, v2)).Report()
	var b bytes.Buffer
	if err := r.Print(&b); err != nil || !strings.Contains(b.String(), "/usr/bin/env (not the host's)") {
		t.Errorf("%v:\n%s", err, b.String())
	}
	if got := r.V2Programs[0].Name; got != "/usr/bin/id (not the host's)" {
		t.Errorf("it is %s", got)
	}
}
