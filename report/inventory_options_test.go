package report

import (
	"strings"
	"testing"

	"imds-analyzer/report/instances"
)

func TestContradictions(t *testing.T) {
	seen := func(tokens string, hops int, refused bool) InstanceOptions {
		return InstanceOptions{HTTPTokens: tokens, HopLimits: HopLimits{Least: hops, Greatest: hops}, EndpointRefused: refused}
	}
	listed := func(tokens, endpoint string, hops int) instances.Options {
		return instances.Options{State: "applied", HTTPTokens: tokens, HTTPEndpoint: endpoint, HopLimit: hops}
	}
	pending := listed("required", "disabled", 1)
	pending.State = "pending"
	tests := []struct {
		name   string
		seen   InstanceOptions
		listed instances.Options
		want   string
		text   string
	}{
		{"alike", seen("optional", 2, false), listed("optional", "enabled", 2), "", ""},
		{"nothing seen", seen("unknown", 0, false), listed("required", "disabled", 1), "", ""},
		{"nothing listed", seen("optional", 2, true), instances.Options{}, "", ""},
		{"answered without a token", seen("optional", 0, false), listed("required", "enabled", 1), "http_tokens", "HttpTokens required, and by the traffic optional"},
		{"refused without a token", seen("required", 0, false), listed("optional", "enabled", 1), "http_tokens", "HttpTokens optional, and by the traffic required"},
		{"answered", seen("unknown", 1, false), listed("required", "disabled", 1), "http_endpoint", "HttpEndpoint disabled, which"},
		{"all refused", seen("unknown", 0, true), listed("optional", "enabled", 1), "http_endpoint", "HttpEndpoint enabled, which"},
		{"all refused, as listed", seen("unknown", 0, true), listed("optional", "disabled", 1), "", ""},
		{"farther", seen("unknown", 3, false), listed("optional", "enabled", 2), "hop_limit", "HttpPutResponseHopLimit 2, and 3 was seen"},
		{"behind a router", seen("unknown", 1, false), listed("optional", "enabled", 2), "", ""},
		{"several", seen("optional", 3, false), listed("required", "enabled", 2), "http_tokens hop_limit", "optional; HttpPutResponseHopLimit 2, and 3 was seen: it was changed"},
		{"not in force yet", seen("optional", 3, false), pending, "", ""},
	}
	for _, tt := range tests {
		h := Host{Options: tt.seen}
		h.compare(&instances.Instance{Options: tt.listed})
		text := h.Listed.Text(&h.Options)
		if got := strings.Join(h.Listed.Contradicts, " "); got != tt.want || !strings.Contains(text, tt.text) || (tt.want == "") != (text == "") {
			t.Errorf("%s: contradicts %q, %q; want %q, %q", tt.name, got, text, tt.want, tt.text)
		}
	}
	if text := (*Listed)(nil).Text(&InstanceOptions{}); text != "" {
		t.Errorf("not listed: %q", text)
	}
}

// The region of a host is what its log says, and else that of its zone.
func TestRegionOfListed(t *testing.T) {
	for logged, want := range map[string]string{"": "eu-west-1", "us-east-1": "us-east-1"} {
		h := Host{Region: logged}
		if h.compare(&instances.Instance{Zone: "eu-west-1a"}); h.Region != want {
			t.Errorf("a host of %q is in %q", logged, h.Region)
		}
	}
}
