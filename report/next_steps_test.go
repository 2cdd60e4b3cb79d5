package report

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/output"
	"imds-analyzer/report/steps"
)

const knownInstance = "i-0123456789abcdef0"

// as gives an entry's host the id of an instance as there can be one.
func as(instance string) change {
	return func(e *output.Entry) { e.HostFields.Cloud.Instance.ID = instance }
}

func stepsOf(lines ...any) *Report { return take(New(Options{NoBoot: true}), lines...).Report() }

func step(r *Report, id string) *steps.Step {
	at := slices.IndexFunc(r.Steps, func(s steps.Step) bool { return s.ID == id })
	if at < 0 {
		return &steps.Step{Ways: []steps.Way{{}}}
	}
	return &r.Steps[at]
}

func TestSteps(t *testing.T) {
	known, good := as(knownInstance), process("/usr/bin/good")
	tests := []struct {
		name   string
		report *Report
		id     string
		want   string // in the title and the first way; empty: there is no such step
	}{
		{"nothing was observed", New(week).Report(), "launch", ""},
		{"a call of version 1", stepsOf(call(known)), "require-running", "(when ready) --instance-id " + knownInstance},
		{"version 2 only", stepsOf(call(known, v2, good)), "require-running", "instance --instance-id " + knownInstance},
		{"version 2 only, and ready", stepsOf(call(known, v2, good)), "first", ""},
		{"not ready", stepsOf(call(known)), "first", "First"},
		{"required already", stepsOf(call(known, status(401))), "require-running", ""},
		{"required already, of a host that has no id", stepsOf(call(as(""), status(401), process("/usr/bin/excused")), call(as(""), v2, good)), "require-running", ""},
		{"an id that is none", stepsOf(call(as("$(reboot)"), v2, good)), "require-running", "INSTANCE_ID"},
		{"several", stepsOf(call(known, v2, good), call(as("i-01234567"), from("b"), as("i-01234567"), v2, good)), "require-many", knownInstance},
		{"too few hops", stepsOf(call(known, tokenRequest, hops(1, 2))), "hop-limit", "--http-put-response-hop-limit 2"},
		{"enough by now", stepsOf(call(known, tokenRequest, hops(1, 2)), call(known, tokenRequest, hops(2, 0), when(at(2)))), "hop-limit", ""},
		{"enough by now, also for a finding", stepsOf(call(known, tokenRequest, hops(1, 2)), call(known, findings("hop-limit")), call(known, tokenRequest, hops(2, 0), when(at(2)))), "hop-limit", ""},
		{"lowered since", stepsOf(call(known, tokenRequest, hops(1, 2), when(at(2))), call(known, tokenRequest, hops(3, 0))), "hop-limit", "--instance-id " + knownInstance + " --http-put-response-hop-limit 3"},
		{"a finding since", stepsOf(call(known, tokenRequest, hops(2, 2)), call(known, findings("hop-limit"), when(at(2)))), "hop-limit", "--http-put-response-hop-limit 2"},
		{"nobody knows how many", stepsOf(call(known, findings("hop-limit"))), "hop-limit", "--instance-id " + knownInstance + " --http-put-response-hop-limit HOP_LIMIT"},
		{"of one of two nobody knows how many", stepsOf(call(known, findings("hop-limit"), tokenRequest, hops(1, 0)), call(from("b"), as("i-01234567"), tokenRequest, hops(1, 2))), "hop-limit", knownInstance + " REGION HOP_LIMIT"},
		{"of the other one", stepsOf(call(known, findings("hop-limit"), tokenRequest, hops(1, 0)), call(from("b"), as("i-01234567"), tokenRequest, hops(1, 2))), "hop-limit", "i-01234567 REGION 2"},
		{"launches have what programs have now", stepsOf(call(known, v2, good), call(known, tokenRequest, hops(3, 0), good)), "launch", "HttpPutResponseHopLimit=3"},
		{"and the policy", stepsOf(call(known, v2, good), call(known, tokenRequest, hops(3, 0), good)), "scp", `"ec2:MetadataHttpPutResponseHopLimit": "3"`},
		{"what they need", stepsOf(call(known, tokenRequest, hops(1, 4))), "scp", `"ec2:MetadataHttpPutResponseHopLimit": "4"`},
		{"a policy of which nothing is known", stepsOf(call(known, v2, good)), "scp", `"ec2:MetadataHttpPutResponseHopLimit": "HOP_LIMIT"`},
		{"nor what they need", stepsOf(call(known, findings("hop-limit")), call(known, tokenRequest, hops(1, 0), good)), "scp", `"ec2:MetadataHttpPutResponseHopLimit": "HOP_LIMIT"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := step(tt.report, tt.id)
			if (s.ID != "") != (tt.want != "") {
				t.Fatalf("the step is %+v", s)
			}
			got := s.Title
			if len(s.Ways) > 0 {
				got += " " + strings.Join(strings.Fields(s.Ways[0].Text), " ")
			}
			for _, part := range strings.Split(tt.want, " --") {
				if !strings.Contains(got, part) {
					t.Errorf("%q is not in %q", part, got)
				}
			}
		})
	}
}

// What the list says counts for what is launched, too.
func TestLaunchHopsOfListed(t *testing.T) {
	list := `{"InstanceId":"` + id("01") + `","MetadataOptions":{"HttpPutResponseHopLimit":5}}`
	r, _ := inventoryOf(listOf(t, "", list), aWeekOf("web-1", id("01")))
	for step, want := range map[string]string{"launch": "HttpPutResponseHopLimit=5", "scp": `HopLimit": "5"`, "terraform": "http_put_response_hop_limit = 5"} {
		if got := stepOf(r, step); !strings.Contains(got, want) {
			t.Errorf("%q is not in %s", want, got)
		}
	}
}

func stepOf(r *Report, id string) string { return step(r, id).Ways[0].Text }

// A state of before hosts told of findings has them of programs only.
func TestHopsOfOlderState(t *testing.T) {
	text := written(t, take(New(week), call(findings("hop-limit"))).Snapshot())
	older := regexp.MustCompile(`,?"too_few_hops":\{[^}]*\}`).ReplaceAllString(text, "")
	if older == text {
		t.Fatalf("the state is %s", text)
	}
	b := New(week)
	if err := b.State(read(t, older)); err != nil {
		t.Fatal(err)
	}
	if s := step(b.Report(), "hop-limit"); !strings.Contains(s.Ways[0].Text, "HOP_LIMIT") {
		t.Errorf("the step is %+v", s)
	}
}

// A command is shown whole, or how to get it whole.
func TestPrintSteps(t *testing.T) {
	r := &Report{Steps: []steps.Step{
		{ID: "first", Title: "First", Ways: []steps.Way{}},
		{ID: "require-running", Title: "Require it", Warning: "Mind", Ways: []steps.Way{{Text: strings.Repeat("line\n", shownLines)}}},
		{ID: "require-many", Title: "Of many", Ways: []steps.Way{{Text: strings.Repeat("row\n", shownLines+1)}}},
		{ID: "launch", Title: "At launch", Ways: []steps.Way{{Text: "launch\n"}}},
	}}
	printed := &text{}
	r.printSteps(printed)
	got := printed.String()
	for part, times := range map[string]int{
		"First": 0, "Require it\n": 1, "Warning: Mind\n": 1, "      line\n": shownLines, ": launch\n": 1, "At launch": 0,
		"Of many\n": 1, "row": 0, "has 31 lines": 1, `jq -r '.next_steps[] | select(.id == "require-many").ways[0].text'`: 1,
	} {
		if n := strings.Count(got, part); n != times {
			t.Errorf("%q is there %d times, want %d, in\n%s", part, n, times, got)
		}
	}
}

// A loop over a few instances can be pasted.
func TestPrintedLoop(t *testing.T) {
	var lines []any
	for n := range 20 {
		lines = append(lines, call(from(number(uint64(n))), as(id(number(uint64(10+n)))), v2, process("/usr/bin/good")))
	}
	r := stepsOf(lines...)
	printed := &text{}
	r.printSteps(printed)
	pasted := strings.ReplaceAll(printed.String(), "\n      ", "\n")
	if command := stepOf(r, "require-many"); strings.Count(command, "\n") < 20 || !strings.Contains(pasted, command) {
		t.Errorf("the command\n%s\nis not in\n%s", command, pasted)
	}
}
