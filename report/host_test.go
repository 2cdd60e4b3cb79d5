package report

import (
	"strings"
	"testing"
	"time"

	"imds-analyzer/output"
)

// What the traffic proves of the instance's options, and nothing else.
func TestInstanceOptions(t *testing.T) {
	tests := []struct {
		name  string
		calls []any
		want  string
	}{
		{"v2 alone proves nothing", []any{call(v2), call(tokenRequest)}, "unknown"},
		{"answered", []any{call()}, "optional (ec2-imdsv2-check would say NON_COMPLIANT, Security Hub EC2.8 FAILED)"},
		{"not found", []any{call(status(404))}, "optional (ec2-imdsv2-check would say NON_COMPLIANT, Security Hub EC2.8 FAILED)"},
		{"refused", []any{call(status(401))}, "required (ec2-imdsv2-check would say COMPLIANT, Security Hub EC2.8 PASSED)"},
		{"a bad token", []any{call(v2, status(401))}, "unknown"},
		{"an error", []any{call(status(500))}, "unknown"},
		{"no answer", []any{call(status(0))}, "unknown"},
		{"another service", []any{call(findings("local-responder"))}, "unknown"},
		{"switched on", []any{call(when(at(1))), call(status(401), when(at(2))), call(status(401), when(at(3)))},
			"required since 2026-03-04 00:00 UTC, optional until 2026-03-03 00:00 UTC (ec2-imdsv2-check would say COMPLIANT, Security Hub EC2.8 PASSED)"},
		{"switched off", []any{call(status(401), when(at(1))), call(when(at(2)))},
			"optional since 2026-03-04 00:00 UTC, required until 2026-03-03 00:00 UTC (ec2-imdsv2-check would say NON_COMPLIANT, Security Hub EC2.8 FAILED)"},
		{"to and fro", []any{call(when(at(1))), call(status(401), when(at(2))), call(when(at(3)))},
			"optional, changed several times (ec2-imdsv2-check would say NON_COMPLIANT, Security Hub EC2.8 FAILED)"},
		{"endpoint off", []any{call(status(403)), call(tokenRequest, status(403))}, "unknown; all calls are refused with 403, as if the endpoint were switched off"},
		{"some forbidden", []any{call(v2), call(tokenRequest, status(403))}, "unknown"},
		{"IPv6", []any{call(v2, ipv6)}, "unknown; IPv6 in use"},
		{"hop limit", []any{call(tokenRequest, hops(64, 0)), call(v2, hops(3, 0))}, "unknown; hop limit 64 as captured"},
		{"hop limits", []any{call(tokenRequest, hops(2, 0)), call(tokenRequest, hops(1, 2))}, "unknown; hop limit from 1 to 2 as captured, 2 needed"},
		{"hop limit of a refusal", []any{call(tokenRequest, hops(1, 0), status(403)), call(v2)}, "unknown"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			o := take(New(week), tt.calls...).Report().Hosts[0].Options
			if got := o.Text(); got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// The service's own figures, by periods of five minutes from midnight on.
func TestPeriods(t *testing.T) {
	second := func(n int) change { return when(day.Add(time.Duration(n) * time.Second)) }
	b := take(New(week),
		call(second(0)), call(second(299)), call(second(300)), call(second(301)), call(second(302), status(302)),
		call(second(600), status(401)), call(second(601), status(404)),
		call(second(900), status(403)), call(second(900), status(0)), call(second(900), v2), call(second(900), unknownCall),
		call(second(900), findings("local-responder")), call(when(time.Time{})))
	n := b.Report().Hosts[0].Service
	want := `{"metadata_no_token":6,"metadata_no_token_rejected":1,"no_token_404":1,"periods":[` +
		`{"start":"2026-03-02T00:00:00Z","metadata_no_token":2,"metadata_no_token_rejected":0,"no_token_404":0},` +
		`{"start":"2026-03-02T00:05:00Z","metadata_no_token":3,"metadata_no_token_rejected":0,"no_token_404":0},` +
		`{"start":"2026-03-02T00:10:00Z","metadata_no_token":0,"metadata_no_token_rejected":1,"no_token_404":1}],` +
		`"highest":{"start":"2026-03-02T00:05:00Z","metadata_no_token":3,"metadata_no_token_rejected":0,"no_token_404":0}}`
	if got := jsonOf(t, n); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

// Of periods beyond those that are kept the sum stays, in whichever order calls come.
func TestManyPeriods(t *testing.T) {
	forth, back := New(week), New(week)
	const all = maxPeriods + 50
	for i := range all {
		forth.Call(call(when(day.Add(time.Duration(i) * periodLength))))
		back.Call(call(when(day.Add(time.Duration(all-1-i) * periodLength))))
	}
	a, b := forth.Report().Hosts[0].Service, back.Report().Hosts[0].Service
	if jsonOf(t, a) != jsonOf(t, b) {
		t.Error("the order matters")
	}
	if len(a.Periods) != maxPeriods || a.NoToken != all || !a.Periods[0].Start.Equal(day.Add(50*periodLength)) {
		t.Errorf("%d periods from %v on, %d calls", len(a.Periods), a.Periods[0].Start, a.NoToken)
	}
}

// A host is known by its instance, then by its machine, then by its name; its latest
// name is told.
func TestHosts(t *testing.T) {
	host := func(name, id, instance string, t time.Time) *output.Entry {
		return call(when(t), func(e *output.Entry) {
			e.HostFields = output.HostFields{Host: output.HostField{Hostname: name, ID: id}, Cloud: output.Cloud{Instance: output.Instance{ID: instance}}}
		})
	}
	tests := []struct {
		name  string
		calls []any
		want  string
	}{
		{"renamed", []any{host("b", "m1", "i-1", at(2)), host("a", "m1", "i-1", at(1)), host("z", "m2", "i-1", at(0))}, "b (i-1)"},
		{"two names at once", []any{host("a", "", "i-1", at(1)), host("c", "", "i-1", at(1)), host("b", "", "i-1", at(1))}, "c (i-1)"},
		{"of one image", []any{host("a", "m1", "i-1", at(1)), host("a", "m1", "i-2", at(2))}, "a (i-1), a (i-2)"},
		{"no instance", []any{host("a", "m1", "", at(1)), host("b", "m1", "", at(2))}, "b"},
		{"name alone", []any{host("a", "", "", at(1)), host("b", "", "", at(2))}, "a, b"},
		{"nothing", []any{host("", "", "", at(1))}, "host not told"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var names []string
			for _, h := range take(New(week), tt.calls...).Report().Hosts {
				names = append(names, h.Name)
			}
			if got := strings.Join(names, ", "); got != tt.want {
				t.Errorf("hosts are %q, want %q", got, tt.want)
			}
		})
	}
}

func TestTexts(t *testing.T) {
	for days, want := range map[float64]string{0: "no time", 0.5 / 24: "30 minutes", 0.1: "2.4 hours", 1: "1 day", 1.5: "36.0 hours", 2: "2 days", 7.25: "7.25 days"} {
		if got := DaysText(days); got != want {
			t.Errorf("DaysText(%v) = %q, want %q", days, got, want)
		}
	}
	if got := listed([]string{"a", "b", "c"}, 2, 4); got != "a, b, and 5 more" {
		t.Errorf("listed is %q", got)
	}
	long := strings.Repeat("ü", 300)
	if got := tidy(long); len([]rune(got)) != maxText || !strings.HasSuffix(got, "ü…") || tidy(got) != got {
		t.Errorf("tidy leaves %d characters: %q", len([]rune(got)), got)
	}
	var x text
	x.wrap("- ", "  ", strings.Repeat("word ", 30)+strings.Repeat("w", 120))
	for i, line := range strings.Split(strings.TrimSuffix(x.String(), "\n"), "\n") {
		if i > 0 && !strings.HasPrefix(line, "  w") || len(line) > width && !strings.Contains(line, strings.Repeat("w", 120)) {
			t.Errorf("line %d is %q", i, line)
		}
	}
}

// The region is what entries tell, also those of before it was known, or else the
// name; what is no region is not told, as it will stand in commands.
func TestRegion(t *testing.T) {
	in := func(region string) change { return func(e *output.Entry) { e.Cloud.Region = region } }
	named := func(name string) change { return func(e *output.Entry) { e.Host.Hostname = name } }
	tests := []struct {
		name  string
		calls []any
		want  string
	}{
		{"not known", []any{call()}, ""},
		{"known", []any{call(in("eu-west-1"))}, "eu-west-1"},
		{"known later", []any{call(), call(in("eu-west-1"), when(at(2)))}, "eu-west-1"},
		{"known before", []any{call(in("eu-west-1")), call(when(at(2)))}, "eu-west-1"},
		{"of a capture", []any{func() any {
			l := capture{host: "web-1", started: day}.start()
			l.Cloud.Region = "eu-west-1"
			return l
		}()}, "eu-west-1"},
		{"by the name", []any{call(named("ip-10-0-0-1.us-west-2.compute.internal"))}, "us-west-2"},
		{"entries know better", []any{call(named("ip-10-0-0-1.ec2.internal"), in("eu-west-1"))}, "eu-west-1"},
		{"two", []any{call(in("eu-west-1")), call(in("eu-north-1"))}, "eu-west-1"},
		{"two, the other first", []any{call(in("eu-north-1")), call(in("eu-west-1"))}, "eu-west-1"},
		{"none", []any{call(in("x; rm -r /"))}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := take(New(week), tt.calls...)
			again := New(week)
			if err := again.State(read(t, written(t, b.Snapshot()))); err != nil {
				t.Fatal(err)
			}
			for from, r := range map[string]*Report{"the log": b.Report(), "the state": again.Report()} {
				if got := r.Hosts[0].Region; got != tt.want {
					t.Errorf("by %s it is %q, want %q", from, got, tt.want)
				}
			}
		})
	}
	b := New(week)
	for i := range maxHosts + 1 {
		b.Call(call(from(number(uint64(i))), in("eu-west-1")))
	}
	for _, h := range b.Report().Hosts {
		if want := h.Name == "other hosts"; want != (h.Region == "") {
			t.Fatalf("%s is in %q", h.Name, h.Region)
		}
	}
}

// Instances that are not on Nitro are known by /etc/machine-id, which all have from an image
// that was made with it: what was seen on one of them is no evidence for the others.
func TestHostsAlike(t *testing.T) {
	ran := func(host, instance, boot string, from, to float64) []any {
		c := capture{host: host, boot: boot, started: at(from), uptime: 20, instance: "none"}
		lines := []any{c.start(), c.runs(at(to - 0.01)), c.stop(at(to))}
		for _, l := range lines {
			l := l.(*output.Lifecycle)
			l.Host.ID, l.Cloud.Instance.ID = "0123456789abcdef0123456789abcdef", instance
		}
		return lines
	}
	tests := []struct {
		name  string
		lines []any
		want  string
	}{
		{"at once", []any{ran("a", "", "b1", 0, 8), ran("b", "", "b2", 1, 5)},
			"1 capture ran while one on another boot did: several hosts have the same /etc/machine-id, and are taken for one"},
		{"three at once", []any{ran("a", "", "b1", 0, 8), ran("b", "", "b2", 1, 5), ran("c", "", "b3", 6, 9)},
			"2 captures ran while one on another boot did: several hosts have the same /etc/machine-id, and are taken for one"},
		{"one after the other", []any{ran("a", "", "b1", 0, 4), ran("a", "", "b2", 4.01, 8)}, ""},
		{"a clock that was set back by less than an hour", []any{ran("a", "", "b1", 0, 4), ran("a", "", "b2", 3.97, 8)}, ""},
		{"two captures of one boot", []any{ran("a", "", "b1", 0, 8), ran("a", "", "b1", 1, 5)}, ""},
		{"told apart by the instance's id", []any{ran("a", id("01"), "b1", 0, 8), ran("b", id("02"), "b2", 0, 8)}, ""},
	}
	for _, tt := range tests {
		b := take(New(week), tt.lines...)
		again := New(week)
		if err := again.Resume(read(t, written(t, b.Snapshot()))); err != nil {
			t.Fatal(err)
		}
		for _, r := range []*Report{b.Report(), again.Report()} {
			if got := strings.Join(itemTexts(r.Verdict.Missing), "; "); got != tt.want || (r.Verdict.Status == Ready) != (got == "") {
				t.Errorf("%s: %s: %q, want %q", tt.name, r.Verdict.Status, got, tt.want)
			}
		}
	}
}
