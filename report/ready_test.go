package report

import (
	"slices"
	"testing"

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
		if got := readyInstances([]Host{h}); (len(got) > 0) != tt.want {
			t.Errorf("%s: ready are %q", tt.name, got)
		}
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
