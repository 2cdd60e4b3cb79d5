package report

import (
	"slices"
	"strings"
	"testing"

	"imds-analyzer/report/steps"
)

// Where a hop limit is too low the command is there to be pasted, if it is known for which
// instance; otherwise the step has it.
func TestHopLimitIsRaised(t *testing.T) {
	const name, there = "ip-10-0-0-1.eu-west-1.compute.internal", "eu-west-1"
	app, here, other := process("/usr/bin/app"), as(id("01")), as(id("02"))
	falls, agent := []change{app, fallback("undelivered", 0, "process"), findings("fallback-token-undelivered", "hop-limit")}, process("/usr/bin/agent")
	of := func(more ...change) any { return call(append(slices.Clone(falls), more...)...) }
	asks := func(seen, needed int, more ...change) any {
		return call(append([]change{app, tokenRequest, hops(seen, needed)}, more...)...)
	}
	command := func(limit string) string {
		return "aws ec2 modify-instance-metadata-options --region " + there + " \\\n  --instance-id " + id("01") + " --http-put-response-hop-limit " + limit + "\n"
	}
	tests := []struct {
		name    string
		lines   []any
		todo    string
		command string
	}{
		{"one instance", []any{of(from(name), here), asks(1, 2, from(name), here)}, "Raise the hop limit of " + name + " (" + id("01") + ") to 2, with the lines below. Then restart the program", command("2")},
		{"another program needs more", []any{of(from(name), here), asks(1, 2, from(name), here), call(from(name), here, agent, tokenRequest, hops(1, 3))}, "to 3, with the lines below", command("3")},
		{"the region is not known", []any{of(here), asks(1, 2, here)}, "see the step that does so, below", ""},
		{"the instance is not known", []any{of(from(name)), asks(1, 2, from(name))}, "see the step that does so, below", ""},
		{"two instances", []any{of(from(name), here), asks(1, 2, from(name), here), of(from(name), other), asks(1, 2, from(name), other)}, "see the step that does so, below", ""},
		{"two instances, one of which has enough", []any{of(from(name), here), asks(1, 2, from(name), here), of(from(name), other), asks(2, 2, from(name), other, when(at(2)))}, "to 2, with the lines below", command("2")},
		{"the limit is not known", []any{of(from(name), here)}, "see the step that does so, below", ""},
		{"it was raised", []any{of(from(name), here), asks(1, 2, from(name), here), asks(2, 2, from(name), here, when(at(2)))}, "unless that was done meanwhile", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := take(New(week), tt.lines...).Report()
			c := r.Programs[0].Causes[0]
			if !strings.Contains(c.Todo, tt.todo) || c.Lines != tt.command {
				t.Errorf("to do is %q with %q, want %q with %q", c.Todo, c.Lines, tt.todo, tt.command)
			}
			has := slices.ContainsFunc(r.Steps, func(s steps.Step) bool { return s.ID == "hop-limit" })
			if strings.Contains(c.Todo, "step") && !has {
				t.Error("there is no such step")
			}
			if strings.Contains(c.Todo, "aws ") {
				t.Errorf("a command is in prose: %s", c.Todo)
			}
		})
	}
}
