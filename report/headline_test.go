package report

import (
	"strings"
	"testing"
)

// Where version 1 is off already nobody is told that it cannot be switched off.
func TestHeadline(t *testing.T) {
	refused := func(host string) []any { return []any{aWeek(host), call(from(host), status(401), when(at(2)))} }
	answered := func(host string) []any { return []any{aWeek(host), call(from(host))} }
	silent := aWeek("silent")
	probed := []any{aWeek("probed"), call(from("probed"), status(401), findings("other-cloud"))}
	tests := []struct {
		name  string
		lines []any
		want  string
	}{
		{"on", answered("a"), "Not ready: IMDSv1 cannot be switched off yet."},
		{"on somewhere", []any{answered("a"), silent}, "Not ready: IMDSv1 cannot be switched off yet on 1 of 2 hosts."},
		{"off", refused("a"), "Not ready: IMDSv1 is off already, but programs were seen that need it."},
		{"off after it was on", []any{refused("a"), call(from("a"))}, "Not ready: IMDSv1 is off already, but programs were seen that need it."},
		{"on again", []any{refused("a"), call(from("a"), when(at(3)))}, "Not ready: IMDSv1 cannot be switched off yet."},
		{"off somewhere", []any{refused("a"), silent, probed}, "Not ready: IMDSv1 is off already on 1 of 3 hosts, but programs were seen that need it."},
		{"off and on", []any{refused("a"), answered("b"), answered("c"), silent},
			"Not ready: IMDSv1 cannot be switched off yet on 2 of 4 hosts, and is off already on 1 where programs were seen that need it."},
		{"ready", silent, "Ready: nothing was seen that needs IMDSv1. It can be switched off."},
		{"ready and off", probed, "Ready: nothing was seen that needs IMDSv1. It is off already."},
		{"ready and off somewhere", []any{silent, probed}, "Ready: nothing was seen that needs IMDSv1. It can be switched off where it is not yet."},
		{"too little", []any{call(v2)}, "Not enough evidence: nothing was seen that needs IMDSv1, but that does not prove much."},
		{"nothing", []any{}, "Not enough evidence: nothing was seen that needs IMDSv1, but that does not prove much."},
		{"too little somewhere", []any{silent, call(from("b"), v2)}, "Not enough evidence: nothing was seen that needs IMDSv1, but that does not prove much on 1 of 2 hosts."},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := take(New(week), tt.lines).Report().Headline(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// What a program did that is ignored was seen, and it is said that it does not count.
func TestHeadlineOfIgnored(t *testing.T) {
	curl := process("/usr/bin/curl")
	tests := []struct {
		name  string
		lines []any
		want  string
	}{
		{"ready", []any{aWeek("web-1"), call(curl)}, "Ready: nothing was seen that needs IMDSv1, but for the programs that are ignored. It can be switched off."},
		{"ready, of unknown version", []any{aWeek("web-1"), call(curl, unknownCall)}, "Ready: nothing was seen that needs IMDSv1, but for the programs that are ignored. It can be switched off."},
		{"ready, refused for another reason", []any{aWeek("web-1"), call(curl, status(403))}, "Ready: nothing was seen that needs IMDSv1. It can be switched off."},
		{"too little", []any{call(curl)}, "Not enough evidence: nothing was seen that needs IMDSv1, but for the programs that are ignored, and that does not prove much."},
		{"not ready", []any{aWeek("web-1"), call(curl), call(process("/usr/bin/wget"))}, "Not ready: IMDSv1 cannot be switched off yet."},
	}
	for _, tt := range tests {
		if got := take(New(Options{MinDays: 7, Ignore: []string{"curl"}}), tt.lines).Report().Headline(); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// A list of instances tells that version 1 is off, too, unless the traffic contradicts it.
func TestHeadlineOfListed(t *testing.T) {
	list := `{"InstanceId":"` + id("01") + `","MetadataOptions":{"HttpTokens":"required"}}`
	for want, lines := range map[string][]any{
		"Ready: nothing was seen that needs IMDSv1. It is off already.":          {aWeekOf("a", id("01"))},
		"Not ready: IMDSv1 is off already, but programs were seen that need it.": {aWeekOf("a", id("01")), call(as(id("01")), status(500))},
		"Not ready: IMDSv1 cannot be switched off yet.":                          {aWeekOf("a", id("01")), call(as(id("01")))},
	} {
		if r, _ := inventoryOf(listOf(t, "", list), lines...); r.Headline() != want {
			t.Errorf("%q, want %q", r.Headline(), want)
		}
	}
}

// Hosts that are not told apart are not off because one of them is.
func TestHeadlineOfHostsBeyondThoseToldApart(t *testing.T) {
	b := New(week)
	for i := range maxHosts {
		take(b, aWeek(number(uint64(i))))
	}
	take(b, call(from("one")), call(from("another"), status(401), when(at(2))))
	const want = "Not ready: IMDSv1 cannot be switched off yet on 1 of 4097 hosts."
	if got := b.Report().Headline(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Calls that were refused are counted apart, also by way of a state, and it is said what
// can be done till the programs are updated.
func TestRefused(t *testing.T) {
	b := take(New(week), aWeek("web-1"), call(process("/usr/bin/old")),
		call(process("/usr/bin/old"), status(401), when(at(2)), findings("v1-refused")), call(process("/usr/bin/old"), status(401), when(at(2)), findings("v1-refused")))
	resumed := New(week)
	if err := resumed.Resume(read(t, written(t, b.Snapshot()))); err != nil {
		t.Fatal(err)
	}
	for name, r := range map[string]*Report{"log": b.Report(), "state": resumed.Report()} {
		h, p := &r.Hosts[0], &r.Programs[0]
		if h.Blocking != 3 || h.Refused != 2 || p.Blocking != 3 || p.Refused != 2 {
			t.Errorf("%s: of the host %d and %d, of the program %d and %d", name, h.Blocking, h.Refused, p.Blocking, p.Refused)
		}
		var text strings.Builder
		if err := r.Print(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"  - 1 call succeeded without a token, or would have\n",
			"  - 2 calls refused with 401, as IMDSv1 was off: what makes such calls fails, or does without\n",
			"calls        3 v1, 0 v2; 3 of the v1 calls are in the way (2 refused)\n",
			"calls        3 v1, 0 v2; 3 in the way (2 refused)\n",
			"Until then version 1 can be allowed again",
		} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("%s: %q is not in\n%s", name, want, text.String())
			}
		}
	}
}
