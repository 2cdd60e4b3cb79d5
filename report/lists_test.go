package report

import (
	"strings"
	"testing"
	"time"
)

// What is a list in the documentation is one in the JSON, also where it is empty.
func TestNoListIsNull(t *testing.T) {
	listed := take(New(week), call(as(id("01"))))
	listed.Listed(pages(t, ""))
	torn := New(week)
	if err := torn.Resume(read(t, `{"kind":"imds-analyzer-state","format":1,"hosts":[{"key":"a","calls":{"v1":1},"sessions":{"earlier":{"sessions":1},"latest":[{}]}}],
		"programs":[{"key":{},"calls":{"v1":1}},{"key":{"executable":"/x"},"calls":{"v2":1}}],"other_programs":{"calls":{"v1":1}},"other_hosts":{"key":"x"}}`)); err != nil {
		t.Fatal(err)
	}
	capturing := capture{host: "web-1", boot: "b1", started: at(0)}
	for name, b := range map[string]*Builder{
		"nothing":       New(week),
		"unknown calls": take(New(week), call(unknownCall)),
		"version 2":     take(New(week), call(v2)),
		"without time":  take(New(week), call(when(time.Time{}))),
		"a capture":     take(New(week), capturing.start()),
		"all":           take(New(week), fleet()...),
		"some":          take(New(week), some()...),
		"a list":        listed,
		"a state":       torn,
	} {
		if text := reported(t, b.Report()); strings.Contains(text, ": null") {
			before, _, _ := strings.Cut(text, ": null")
			t.Errorf("%s: null is %s", name, before[strings.LastIndex(before, "\n")+1:])
		}
	}
}

// A state may have been made by hand: what it does not tell is left out.
func TestFallbacksOfAState(t *testing.T) {
	tests := []struct{ counted, text, finding string }{
		{" 0 process", "its token request fails, and it goes on without", ""},
		{" 0 ", "its token request fails, and it goes on without", ""},
		{"nonsense", "its token request fails, and it goes on without", ""},
		{"refused 403 ", "its token request is refused with status 403, and it goes on without", "fallback-token-refused"},
	}
	for _, tt := range tests {
		b := New(week)
		if err := b.Resume(read(t, `{"kind":"imds-analyzer-state","format":1,"programs":[{"key":{"executable":"/x"},"calls":{"v1":2},"fallbacks":{"counts":{"`+tt.counted+`":2}}}]}`)); err != nil {
			t.Fatal(err)
		}
		causes := b.Report().Programs[0].Causes
		if len(causes) != 1 || causes[0].Text != tt.text || causes[0].Finding != tt.finding || (causes[0].Todo == "") != (tt.finding == "") {
			t.Errorf("%q: the causes are %+v", tt.counted, causes)
		}
	}
}
