package report

import (
	"slices"
	"testing"

	"imds-analyzer/output"
	"imds-analyzer/report/instances"
)

// Ids of instances go into commands: those of hosts that are ready do, and nothing that
// a shell takes for more than an id.
func TestReadyInstances(t *testing.T) {
	named := func(name, id string) []any {
		lines := aWeek(name)
		for _, line := range lines {
			line.(*output.Lifecycle).HostFields = output.HostFields{
				Host: output.HostField{Hostname: name, Uptime: line.(*output.Lifecycle).Host.Uptime}, Cloud: output.Cloud{Instance: output.Instance{ID: id}}}
		}
		return lines
	}
	b := take(New(week), aWeek("b"), aWeek("a"), aWeek("bad"), call(from("bad")), call(from("few"), v2), named("no-id", ""),
		named("x1", "i-1;reboot"), named("x2", "i-$(reboot)"), named("x3", "i-1 i-2"), named("x4", "i-"), named("x5", "-i"), named("x6", "i-1\n"), named("x7", "I-1"),
		named("x8", "i-0123456789012345678901234567890"))
	r := b.Report()
	if want := []string{"i-a", "i-b"}; !slices.Equal(r.Ready, want) {
		t.Errorf("ready are %q, want %q", r.Ready, want)
	}
	if n := r.hostsThat(Ready); n != 11 {
		t.Errorf("%d hosts are ready", n)
	}
}

// What is listed as gone, or as demanding version 2 already, is left out, unless the
// traffic shows otherwise.
func TestReadyOfListed(t *testing.T) {
	tests := []struct {
		name string
		of   instances.Instance
		want bool
	}{
		{"not listed", instances.Instance{}, true},
		{"optional", instances.Instance{State: "running", Options: instances.Options{HTTPTokens: "optional"}}, true},
		{"required", instances.Instance{Options: instances.Options{HTTPTokens: "required"}}, false},
		{"required soon", instances.Instance{Options: instances.Options{HTTPTokens: "required", State: "pending"}}, true},
		{"disabled", instances.Instance{Options: instances.Options{HTTPEndpoint: "disabled"}}, false},
		{"terminated", instances.Instance{State: "terminated"}, false},
		{"shutting down", instances.Instance{State: "shutting-down"}, false},
		{"stopped", instances.Instance{State: "stopped"}, true},
	}
	for _, tt := range tests {
		h := Host{Instance: "i-1", Verdict: Verdict{Status: Ready}, Options: InstanceOptions{HTTPTokens: "unknown"}}
		if tt.name != "not listed" {
			h.compare(&tt.of)
		}
		if got := readyInstances([]Host{h}); (len(got) > 0) != tt.want {
			t.Errorf("%s: ready are %q", tt.name, got)
		}
	}
	h := Host{Instance: "i-1", Verdict: Verdict{Status: Ready}, Options: InstanceOptions{HTTPTokens: "optional"}}
	h.compare(&instances.Instance{Options: instances.Options{HTTPTokens: "required"}})
	if len(readyInstances([]Host{h})) == 0 {
		t.Error("a call was answered without a token, and none needs to be required")
	}
}
