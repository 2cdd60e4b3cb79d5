package report

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/output"
	"imds-analyzer/report/instances"
)

// id is that of an instance in instances/testdata/pages.json.
func id(end string) string { return "i-0e5a11c0de00000" + end }

// Ids of instances go into commands: those of hosts that are ready do, and nothing that
// a shell takes for more than an id.
func TestReadyInstances(t *testing.T) {
	b := take(New(week), aWeekOf("b", id("0b")), aWeekOf("a", "i-0123abcd"), aWeekOf("bad", id("01")), call(from("bad"), as(id("01"))),
		call(from("few"), as(id("02")), v2), aWeekOf("refused", id("03")), call(from("refused"), as(id("03")), process("/usr/bin/excused"), status(401)))
	for _, no := range []string{"i-1;reboot", "i-$(date)", "i-1 i-23", "i-", "i-0123abc\n", "I-0123ABCD", "i-0123abcg", "i-0123456789", id("001"), "0123456789"} {
		take(b, aWeekOf("x", no))
	}
	b.options.Ignore = []string{"excused"}
	r := b.Report()
	if want := []string{"i-0123abcd", id("0b")}; !slices.Equal(r.Ready, want) {
		t.Errorf("ready are %q, want %q", r.Ready, want)
	}
	if n := r.hostsThat(Ready); n != 3+10 {
		t.Errorf("%d hosts are ready", n)
	}
}

// What is listed as gone, or as demanding version 2 already, is left out, unless the
// traffic shows otherwise.
func TestReadyOfListed(t *testing.T) {
	options := func(tokens, endpoint, state string) instances.Instance {
		return instances.Instance{Options: instances.Options{HTTPTokens: tokens, HTTPEndpoint: endpoint, State: state}}
	}
	tests := []struct {
		name string
		seen string
		of   instances.Instance
		want bool
	}{
		{"optional", "unknown", options("optional", "enabled", ""), true},
		{"required", "unknown", options("required", "enabled", ""), false},
		{"required, and seen so", "required", options("required", "enabled", ""), false},
		{"required, and seen otherwise", "optional", options("required", "enabled", ""), true},
		{"optional, and seen otherwise", "required", options("optional", "enabled", ""), true},
		{"not told, and seen", "required", options("", "", ""), false},
		{"required soon", "unknown", options("required", "enabled", "pending"), true},
		{"disabled", "optional", options("optional", "disabled", ""), false},
		{"terminated", "unknown", instances.Instance{State: "terminated"}, false},
		{"shutting down", "unknown", instances.Instance{State: "shutting-down"}, false},
		{"stopped", "unknown", instances.Instance{State: "stopped"}, true},
	}
	for _, tt := range tests {
		h := Host{Instance: id("01"), Verdict: Verdict{Status: Ready}, Options: InstanceOptions{HTTPTokens: tt.seen}}
		h.compare(&tt.of)
		if got := (&Report{Hosts: []Host{h}}).readyInstances(); (len(got) > 0) != tt.want {
			t.Errorf("%s: ready are %q", tt.name, got)
		}
	}
}

// Evidence that may be of any instance keeps all of them from being ready; what was not
// observed of another host does not.
func TestReadyWhereEvidenceCanBePlaced(t *testing.T) {
	nobody, good := from(""), process("/usr/bin/good")
	bad := func(b *Builder) { b.Malformed("imds.log", 7, errors.New("cut off")) }
	passedOver := func(b *Builder) { b.PassedOver(1) }
	nothing := func(*Builder) {}
	counted := capture{host: "web-2", instance: "none", boot: "b1", started: day, uptime: 20, counts: output.Counts{CallsV1: 1}}
	tests := []struct {
		name  string
		more  func(*Builder)
		lines []any
		want  bool
	}{
		{"all is known", nothing, nil, true},
		{"a line that could not be read", bad, nil, false},
		{"a file that was passed over", passedOver, nil, false},
		{"calls of no host", nothing, []any{call(nobody)}, false},
		{"calls of a host that has no id", nothing, []any{call(from("web-2"), as(""))}, false},
		{"calls of a host that has something else for one", nothing, []any{call(from("web-2"), as("none"))}, false},
		{"unclear calls of it", nothing, []any{call(from("web-2"), as(""), unknownCall)}, false},
		{"calls that another service has answered", nothing, []any{call(from("web-2"), as(""), findings("local-responder"))}, false},
		{"calls that its captures have counted", nothing, []any{counted.start(), counted.stop(at(7))}, false},
		{"calls of version 2", nothing, []any{call(nobody, v2, good)}, true},
		{"calls of another instance", nothing, []any{call(from("web-2"), as(id("02")))}, true},
		{"another instance of which little is known", nothing, []any{call(from("web-2"), as(id("02")), v2, good)}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := take(New(week), aWeekOf("web-1", id("01")), tt.lines)
			tt.more(b)
			r := b.Report()
			if got := slices.Equal(r.Ready, []string{id("01")}); got != tt.want || len(r.Ready) > 1 {
				t.Errorf("ready are %q", r.Ready)
			}
			one := step(r, "require-running")
			if strings.Contains(one.Title, "when ready") == tt.want {
				t.Errorf("the step is %+v", one)
			}
			if told := strings.Contains(step(r, "first").Text, "may be of any instance"); told == tt.want {
				t.Errorf("the first step is %+v", step(r, "first"))
			}
		})
	}
}

// Hosts beyond those that are told apart may be any.
func TestReadyBesideOtherHosts(t *testing.T) {
	nobodys := call(from("nameless"), as(""), when(at(1)), func(e *output.Entry) { e.Cloud.Region = "eu-west-1" })
	latest := call(from("late"), as(id("02")), tokenRequest, hops(1, 2), when(at(2)))
	for name, lines := range map[string][]any{"nobody's": {nobodys}, "and an instance's": {nobodys, latest}, "which comes first": {latest, nobodys}} {
		b := take(New(week), aWeekOf("web-1", id("01")))
		for n := len(b.kept.hosts); n < maxHosts; n++ {
			b.kept.hosts[number(uint64(n))] = &host{Key: number(uint64(n)), index: n}
		}
		again := New(week)
		if err := again.State(read(t, written(t, take(b, lines...).Snapshot()))); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*Report{b.Report(), again.Report()} {
			others := r.Hosts[slices.IndexFunc(r.Hosts, func(h Host) bool { return h.Others() })]
			if others.Name != "other hosts" || others.Hostname+others.Instance+others.Region != "" {
				t.Errorf("%s: the others are %s: %q, %q, %q", name, others.Name, others.Hostname, others.Instance, others.Region)
			}
			if len(r.Ready) > 0 || strings.Contains(reported(t, r), id("02")) {
				t.Errorf("%s: ready are %q, and the steps %+v", name, r.Ready, r.Steps[:3])
			}
		}
	}
}

// A silent instance, and a list that has no end, are no evidence against another.
func TestReadyBesideSilent(t *testing.T) {
	list := `{"Reservations":[{"Instances":[{"InstanceId":"` + id("01") + `"},{"InstanceId":"` + id("02") + `"}]}],"NextToken":"x"}`
	r, _ := inventoryOf(listOf(t, "", list), aWeekOf("web-1", id("01")))
	if !slices.Equal(r.Ready, []string{id("01")}) || r.Verdict.Status != NotEnough {
		t.Errorf("ready are %q, and the verdict %+v", r.Ready, r.Verdict)
	}
}

// The steps are for the same instances.
func TestStepsOfListed(t *testing.T) {
	for want, list := range map[string]string{
		id("01"): `{"InstanceId":"` + id("01") + `"}`,
		"":       `{"InstanceId":"` + id("01") + `","MetadataOptions":{"HttpTokens":"required"}}`,
	} {
		r, _ := inventoryOf(listOf(t, "", list), aWeekOf("web-1", id("01")))
		if s := step(r, "require-running"); (s.ID != "") != (want != "") || (len(r.Ready) > 0) != (want != "") {
			t.Errorf("of %s ready are %q, and the step is %+v", list, r.Ready, s)
		}
	}
}
