package output

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// asCarried is an entry as a file tells it: the host is not known.
func asCarried(r Record) Entry {
	e := NewEntry(r, Host{})
	if r.Answer.Process != nil {
		e.IMDS.Attribution.Method = string(attribution.CaptureComment)
	}
	return e
}

// reread is a record with what its own comment tells.
func reread(t *testing.T, r Record) Record {
	t.Helper()
	comment := new(Callers).Comment(&r.Answer, &r.Identity)
	a, i, ok := ReadComment(comment)
	if !ok {
		t.Fatalf("not read: %s", comment)
	}
	r.Answer, r.Identity = a, i
	return r
}

// What a comment tells makes the same entry as what was found, but for the method,
// and is written again as it was.
func TestCommentRoundTrip(t *testing.T) {
	records := testRecords()
	for name, edit := range map[string]func(r *Record){
		"joined arguments": func(r *Record) {
			r.Answer.Process.Args, r.Answer.Process.ArgsJoined = strings.Split("sh -c  sleep 20; it's…  x", " "), true
			r.Answer.Process.Ancestors[0].Args, r.Answer.Process.Ancestors[0].ArgsJoined = []string{"a", "b;"}, true
		},
		"joined, of one word": func(r *Record) {
			r.Answer.Process.Args, r.Answer.Process.ArgsJoined = []string{"x"}, true
			r.Answer.Process.Ancestors[0].Args, r.Answer.Process.Ancestors[0].ArgsJoined = []string{"y"}, true
			r.Answer.Process.Ancestors[1].ArgsJoined = true
		},
		"joined, truncated": func(r *Record) {
			r.Answer.Process.Args, r.Answer.Process.ArgsJoined, r.Answer.Process.ArgsTruncated = []string{"a", "'"}, true, true
		},
		"ellipsis of its own": func(r *Record) { r.Answer.Process.Args = []string{"echo", "…"} },
		"cut off":             func(r *Record) { r.Answer.Process.Args, r.Answer.Process.ArgsTruncated = []string{"echo", "…"}, true },
		"no arguments":        func(r *Record) { r.Answer.Process.Args = nil },
		"only a pid":          func(r *Record) { r.Answer.Process = &attribution.Process{PID: math.MaxUint32} },
		"for another":         func(r *Record) { r.Answer.OnBehalfOf = &attribution.Process{PID: 9, Name: "shortcuts"} },
		"root":                func(r *Record) { r.Answer.Process.User = &attribution.User{Name: "root"} },
		"task without an ARN": func(r *Record) { r.Identity.Task = identity.Task{ID: "0a1b2c", Family: "web:7"} },
		"software": func(r *Record) {
			p := identity.Package{Name: "app", Version: "1:2-3", Type: "rpm"}
			r.Identity.Software = identity.Software{Package: p, Script: identity.Script{Kind: identity.Module, Name: "x.y", Package: p}}
		},
		"called by a script": func(r *Record) {
			r.Identity.Caller, r.Identity.Generation = identity.Script{Kind: identity.ScriptFile, Name: "/opt/app/run it.sh", Path: "/opt/app/run it.sh"}, 1
		},
		"called by a module of an ancestor": func(r *Record) {
			r.Identity.Caller, r.Identity.Generation = identity.Script{Kind: identity.Module, Name: "app.boot"}, 2
		},
		"many candidates": func(r *Record) {
			r.Answer.Status = attribution.Shared
			for pid := range attribution.MaxCandidates {
				r.Answer.Candidates = append(r.Answer.Candidates, attribution.Process{PID: pid + 1, Args: []string{"it's", "a\\b", " ", ""}})
			}
		},
		"container alone": func(r *Record) {
			r.Answer = attribution.Answer{Status: attribution.Offline}
			r.Identity.Container, r.Identity.Pod = identity.Container{ID: "c0ffee", Name: "x"}, identity.Pod{Name: "p"}
		},
	} {
		records[name] = testRecord(edit)
	}
	schema := compileSchema(t)
	for name, r := range records {
		t.Run(name, func(t *testing.T) {
			comment := new(Callers).Comment(&r.Answer, &r.Identity)
			if r.Answer.Status == attribution.Offline && r.Identity == (identity.Identity{}) {
				if comment != "" {
					t.Fatalf("nothing is known, and it says %s", comment)
				}
				return
			}
			if strings.ContainsAny(comment, "\n\x1b") || strings.Contains(comment, testToken) {
				t.Errorf("%q", comment)
			}
			again := reread(t, r)
			want, got := asCarried(r), NewEntry(again, Host{})
			if !reflect.DeepEqual(generic(t, appendEntry(nil, &got)), generic(t, appendEntry(nil, &want))) {
				t.Errorf("got  %s\nwant %s", appendEntry(nil, &got), appendEntry(nil, &want))
			}
			if err := validate(t, schema, string(appendEntry(nil, &got))); err != nil {
				t.Error(err)
			}
			once := new(Callers).Comment(&again.Answer, &again.Identity)
			if third := reread(t, again); new(Callers).Comment(&third.Answer, &third.Identity) != once {
				t.Errorf("once %s\nmore %s", once, new(Callers).Comment(&third.Answer, &third.Identity))
			}
		})
	}
}

// The comment has the names of the log entry.
func TestCommentText(t *testing.T) {
	r := testRecord(func(r *Record) {
		r.Answer.Process = &attribution.Process{PID: 7, Name: "curl", Args: []string{"curl", "-H", "X-Token: " + testToken}}
		r.Identity.Unit = "sync.service"
	})
	const want = `imds-analyzer: {"imds":{"attribution":{"status":"resolved","method":"sock_diag"}},` +
		`"process":{"pid":7,"name":"curl","args":["curl","-H","X-Token: REDACTED"],"command_line":"curl -H 'X-Token: REDACTED'"},` +
		`"systemd":{"unit":"sync.service"}}`
	if got := new(Callers).Comment(&r.Answer, &r.Identity); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// What has no room is left out, the less telling first, and what is there is whole.
func TestCommentIsBounded(t *testing.T) {
	long := strings.Repeat("é\x01", attribution.MaxArgsBytes) // of which a byte takes up to six
	for _, tt := range []struct {
		name string
		edit func(p *attribution.Process)
		kept string // has, lost has not
		lost string
	}{
		{"nothing", func(*attribution.Process) {}, `"ancestors"`, "\x00"},
		{"ancestors", func(p *attribution.Process) { p.Ancestors[0].Args = []string{long} }, `"args"`, `"ancestors"`},
		{"arguments", func(p *attribution.Process) { p.Args = []string{long} }, `"executable"`, `"command_line"`},
		{"paths", func(p *attribution.Process) { p.Executable = long + long }, `"name":"python3"`, `"executable"`},
		{"all but the pid", func(p *attribution.Process) { p.Name = long + long }, `"process":{"pid":4242}`, `"name"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := testRecord(func(r *Record) { tt.edit(r.Answer.Process) })
			comment := new(Callers).Comment(&r.Answer, &r.Identity)
			if len(comment) > maxComment || !strings.Contains(comment, tt.kept) || strings.Contains(comment, tt.lost) {
				t.Errorf("%d bytes: %.300s", len(comment), comment)
			}
			if comment != "" && reread(t, r).Answer.Process.PID != 4242 {
				t.Errorf("read again: %+v", reread(t, r).Answer)
			}
		})
	}
}

func TestReadCommentRefuses(t *testing.T) {
	const resolved = `imds-analyzer: {"imds":{"attribution":{"status":"resolved"}},`
	for _, text := range []string{
		"", "imds-analyzer: ", "imds-analyzer: {}", "imds-analyzer: null", "imds-analyzer: []", "a note", "imds-analyzer", "\n" + resolved + `"process":{"pid":7}}`,
		resolved + `"process":{"pid":7}`,
		resolved + `"process":{"pid":7}} x`,
		resolved + `"process":{"pid":"7"}}`,
		resolved + `"process":{"pid":7.5}}`,
		resolved + `"process":{"pid":99999999999999999999}}`,
		resolved + `"process":{"pid":-7}}`,
		resolved + `"process":{"pid":0}}`,
		resolved + `"process":{"pid":7,"vpid":-1}}`,
		resolved + `"process":{"pid":7,"args":"x"}}`,
		resolved + `"process":{"pid":7,"start":"yesterday"}}`,
		resolved + `"process":[]}`,
		strings.Replace(resolved, "resolved", "proven", 1) + `"process":{"pid":7}}`,
		strings.Replace(resolved, "resolved", "not_found", 1) + `"process":{"pid":7}}`,
		strings.Replace(resolved, "resolved", "offline", 1) + `"process":{"pid":7}}`,
		resolved + `"process":{"pid":7,"name":"` + strings.Repeat("x", maxComment) + `"}}`,
	} {
		if a, i, ok := ReadComment(text); ok || a.Process != nil || i != (identity.Identity{}) {
			t.Errorf("%.200q: %+v, %+v", text, a, i)
		}
	}
	if _, _, ok := ReadComment(resolved + "\"process\":{\"pid\":7}}\na note of somebody's"); !ok {
		t.Error("what stands behind it changes it")
	}
}

// What the log has no words for is left out of what is told.
func TestReadCommentTakesWhatIsKnown(t *testing.T) {
	a, i, ok := ReadComment(`imds-analyzer: {"imds":{"attribution":{"status":"shared","method":"magic","candidates":[{"pid":0},{"pid":8}]},` +
		`"ancestors":[{"name":"x"},{"pid":9}],"on_behalf_of":{"name":"x"},"script":{"kind":"poem","name":"x"}},"process":{"pid":7},"user":{"id":"app"},` +
		`"container":{"name":"x"},"kubernetes":{"namespace":"x"},"orchestrator":{"type":"nomad","resource":{"id":"x"}},"package":{"name":"x","type":"snap"},"host":{"hostname":"x"}}`)
	want := attribution.Answer{
		Status: attribution.Shared, Method: attribution.CaptureComment,
		Process:    &attribution.Process{PID: 7, Ancestors: []attribution.Ancestor{{PID: 9}}},
		Candidates: []attribution.Process{{PID: 8}},
	}
	if !ok || !reflect.DeepEqual(a, want) || i != (identity.Identity{}) {
		t.Errorf("%v, %+v, %+v", ok, a, i)
	}
	_, i, ok = ReadComment(`imds-analyzer: {"imds":{"attribution":{"status":"resolved"}},"process":{"pid":7},"container":{"id":"x","runtime":"jail"}}`)
	if want := (identity.Container{ID: "x"}); !ok || i.Container != want {
		t.Errorf("%v, %+v", ok, i)
	}
	_, i, ok = ReadComment(`imds-analyzer: {"imds":{"attribution":{"status":"not_found"}},"container":{"id":"x"}}`)
	if !ok || i != (identity.Identity{}) {
		t.Errorf("of a process that was not found: %v, %+v", ok, i)
	}
	long := strings.Repeat(`{"pid":5},`, 100)
	a, _, ok = ReadComment(fmt.Sprintf(`imds-analyzer: {"imds":{"attribution":{"status":"shared","candidates":[%s{"pid":5}]},"ancestors":[%[1]s{"pid":5}]},"process":{"pid":7}}`, long))
	if !ok || len(a.Candidates) != attribution.MaxCandidates || len(a.Process.Ancestors) != attribution.MaxAncestors {
		t.Errorf("%v, %d candidates, %d ancestors", ok, len(a.Candidates), len(a.Process.Ancestors))
	}
}

// What an ancestor runs is read from its title.
func TestReadTitle(t *testing.T) {
	for _, s := range []identity.Script{
		{Kind: identity.ScriptFile, Name: "boot.sh"},
		{Kind: identity.ScriptFile, Name: "/opt/boot.sh", Path: "/opt/boot.sh"},
		{Kind: identity.Module, Name: "http.server"},
		{Kind: identity.Jar, Name: "/y.jar", Path: "/y.jar"},
		{Kind: identity.Commands},
	} {
		written := script(&s)
		if got := readTitle(written.Title()); got != s {
			t.Errorf("%+v became %q and %+v", s, written.Title(), got)
		}
	}
	class := Script{Kind: string(identity.Class), Name: "com.example.Main"}
	if got := readTitle(class.Title()); got != (identity.Script{Kind: identity.ScriptFile, Name: "com.example.Main"}) {
		t.Errorf("a class became %+v", got)
	}
}

// Of several ancestors that are said to run scripts the nearest one counts.
func TestReadCommentTakesNearestScript(t *testing.T) {
	_, i, ok := ReadComment(`imds-analyzer: {"imds":{"attribution":{"status":"resolved"},"ancestors":[{"script":"no.pid"},{"pid":9},{"pid":8,"script":"with commands"},` +
		`{"pid":1,"script":"boot.sh"}]},"process":{"pid":7}}`)
	if !ok || i.Caller != (identity.Script{Kind: identity.Commands}) || i.Generation != 2 {
		t.Errorf("%v, %+v", ok, i.Software)
	}
}

// A command line is split where it was joined.
func TestReadArguments(t *testing.T) {
	for _, list := range [][]string{
		nil, {"a"}, {""}, {"", ""}, {" "}, {"a b", "c"}, {"it's"}, {"'"}, {"''"}, {`\`}, {`\'`}, {"a", "…"}, {"…"}, {"\n", "\t"}, {"$x", "é"},
	} {
		for _, truncated := range []bool{false, true} {
			line := commandLine(list, truncated)
			got := readCommandLine(line)
			if _, again := got.clean(); again != line {
				t.Errorf("%q became %+v and %q", line, got, again)
			}
			if !slices.Contains(list, "…") && (!slices.Equal(got.list, list) || got.joined) {
				t.Errorf("%q became %+v", list, got)
			}
		}
	}
	for _, line := range []string{"a  b", "a;b", "'a", "a b ", " ", `a\ b`, "'a'"} {
		got := readCommandLine(line)
		if list, again := got.clean(); again != line || !got.joined || list != nil {
			t.Errorf("%q became %+v, %q and %q", line, got, list, again)
		}
	}
}

// FuzzReadComment: whatever the comment says, the log's line follows the schema, and
// what is written of it is read as the same.
func FuzzReadComment(f *testing.F) {
	for _, r := range testRecords() {
		f.Add(new(Callers).Comment(&r.Answer, &r.Identity))
	}
	f.Add(`imds-analyzer: {"imds":{"attribution":{"status":"resolved"},"ancestors":[{"pid":2,"command_line":"a  'b…"}]},"process":{"pid":7,"args":["",""],"command_line":"x"}}`)
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	schema, err := c.Compile(schemaFile)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, comment string) {
		a, i, ok := ReadComment(comment)
		if !ok {
			return
		}
		r := testRecord(func(r *Record) { r.Answer, r.Identity = a, i })
		e := NewEntry(r, Host{})
		line := string(appendEntry(nil, &e))
		if err := validate(t, schema, line); err != nil || Sanitize(line) != line {
			t.Errorf("%v: %q", err, line)
		}
		once := new(Callers).Comment(&a, &i)
		if once == "" {
			return
		}
		b, j, ok := ReadComment(once)
		if again := new(Callers).Comment(&b, &j); !ok || again != once {
			t.Errorf("%v: once %s\nmore %s", ok, once, again)
		}
	})
}
