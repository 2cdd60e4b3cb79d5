package page

import (
	"testing"

	"imds-analyzer/report"
)

func TestWords(t *testing.T) {
	tests := []struct{ got, want string }{
		{number(0), "0"}, {number(999), "999"}, {number(1000), "1,000"}, {number(uint64(1234567)), "1,234,567"}, {number(100000), "100,000"},
		{plural(0, "call", "calls"), "0 calls"}, {plural(1, "call", "calls"), "1 call"}, {plural(1000, "call", "calls"), "1,000 calls"},
		{hosts(1, false), "1 host"}, {hosts(2, true), "2 hosts and others"}, {hosts(0, true), "other hosts"},
		{sentence("", ""), ""}, {sentence("upgrade it", "aws-cli"), "Upgrade it."}, {sentence("Done.", ""), "Done."}, {sentence("é", ""), "É."},
		{sentence("not known: kiam", ""), "Not known: kiam."}, {sentence("upgrade it to 1.16", ""), "Upgrade it to 1.16"},
		{sentence("aws-cli is too old", "aws-cli"), "aws-cli is too old."}, {sentence("cloud-init/18 is old", ""), "cloud-init/18 is old."},
		{sentence("ec2_prefer_imdsv2: true in datadog.yaml", ""), "ec2_prefer_imdsv2: true in datadog.yaml"},
		{reason("v1_calls"), "calls without a token"}, {reason("packets_dropped"), "packets dropped"},
		{grouping("asg"), "auto scaling group"}, {grouping("image"), "image"}, {grouping(""), "auto scaling group or image"}, {grouping("tag:team"), "tag team"},
	}
	for _, tt := range tests {
		if tt.got != tt.want {
			t.Errorf("got %q, want %q", tt.got, tt.want)
		}
	}
}

// Programs come in the order of what blocks.
func TestSorted(t *testing.T) {
	all := []report.Program{
		{Name: "ignored", Ignored: true, Blocking: 99, Calls: report.Calls{V1: 99}},
		{Name: "before", Before: 80, NotSince: true, Calls: report.Calls{V1: 80}},
		{Name: "harmless", Calls: report.Calls{V1: 50}},
		{Name: "unknown", Calls: report.Calls{Unknown: 3}},
		{Name: "refused", Blocking: 40, Refused: 40, Calls: report.Calls{V1: 40}},
		{Name: "refused and answered", Blocking: 3, Refused: 2, Calls: report.Calls{V1: 3}},
		{Name: "little", Blocking: 2, Calls: report.Calls{V1: 60}},
		{Name: "most", Blocking: 9, Calls: report.Calls{V1: 9}},
		{Name: "more", Blocking: 2, Calls: report.Calls{V1: 70}},
	}
	want := []struct{ name, standing, class string }{
		{"most", "in the way", "bad"}, {"refused and answered", "in the way", "bad"}, {"more", "in the way", "bad"}, {"little", "in the way", "bad"},
		{"refused", "refused", "bad"}, {"unknown", "not clear", "unsure"}, {"harmless", "not in the way", "plain"}, {"before", "earlier", "plain"}, {"ignored", "ignored", "plain"},
	}
	for i, p := range sorted(all) {
		if w := want[i]; p.Name != w.name || p.Standing() != w.standing || p.Class() != w.class {
			t.Errorf("%d: %s is %s (%s), want %v", i, p.Name, p.Standing(), p.Class(), w)
		}
	}
}
