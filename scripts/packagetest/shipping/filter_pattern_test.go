package main

import "testing"

func TestFilterPattern(t *testing.T) {
	const event = `{"imds":{"version":"v1","credentials":true,"capture":{"dropped":3}},"event":{"dataset":"imds.call"}}`
	for _, tt := range []struct {
		pattern string
		matches int
	}{
		{`{ $.imds.version = "v1" }`, 1},
		{`{$.imds.version="v2"}`, 0},
		{`{ $.imds.version != "v2" }`, 1},
		{`{ $.imds.version = "v*" }`, 1},
		{`{ $.imds.version = 1 }`, 0},
		{`{ $.no.such = "v1" }`, 0},
		{`{ $.no.such != "v1" }`, 0},
		{`{ $.imds.credentials IS TRUE }`, 1},
		{`{ $.imds.version IS TRUE }`, 0},
		{`{ $.imds.capture.dropped > 2 && $.imds.capture.dropped <= 3 }`, 1},
		{`{ $.imds.capture.dropped < 3 || $.imds.capture.dropped >= 4 }`, 0},
		{`{ $.imds.version = "v1" || $.imds.version = "v2" && $.event.dataset = "x" }`, 1},
		{`{ ($.imds.version = "v1" || $.imds.version = "v2") && $.event.dataset = "x" }`, 0},
	} {
		p, err := parseFilterPattern(tt.pattern)
		if err != nil {
			t.Errorf("%s: %v", tt.pattern, err)
		} else if n := p.count([]string{event, "no JSON"}); n != tt.matches {
			t.Errorf("%s matches %d lines, want %d", tt.pattern, n, tt.matches)
		}
	}
}

func TestFilterPatternWrong(t *testing.T) {
	for _, pattern := range []string{
		"", "{", "{}", `$.a = "b"`, `{ $.a = "b"`, `{ $.a = "b" } x`, `{ $.a = "b" } "c"`, `{ a = "b" }`, `{ $.a == "b" }`, `{ $.a = b }`, `{ $.a > "b" }`,
		`{ $.a = "b" && }`, `{ ($.a = "b" }`, `{ "b" = $.a }`, `{ $.a = "b" and $.c = "d" }`, `{ $.log.level.['x'] = "y" }`, `{ $.a "=" 1 }`,
	} {
		if _, err := parseFilterPattern(pattern); err == nil {
			t.Errorf("%s is understood", pattern)
		}
	}
}
