package capture

import (
	"net/netip"
	"testing"
)

// Connections that are captured in the same place share a vantage, also where several
// places take turns.
func TestVantages(t *testing.T) {
	at := func(service, named, network string) *segment {
		return &segment{service: netip.MustParseAddrPort(service), named: named, network: network}
	}
	places := []*segment{
		at("169.254.169.254:80", "eth0", ""),
		at("169.254.169.254:80", "eth1", ""),
		at("[fd00:ec2::254]:80", "eth0", ""),
		at("169.254.169.254:80", "eth0", "net:[4026531840]"),
	}
	var v vantages
	first := make(map[*segment]*vantage)
	for range 3 {
		for _, s := range places {
			got := v.of(s)
			if *got != (vantage{s.service, s.named, s.network}) {
				t.Errorf("%+v is captured at %+v", s, got)
			}
			if first[s] == nil {
				first[s] = got
			}
			if got != first[s] {
				t.Errorf("%+v has another vantage than before", got)
			}
		}
	}
	if v.of(at("169.254.169.254:80", "eth2", "")) == first[places[0]] || *v.of(places[0]) != *first[places[0]] {
		t.Error("a fifth place is taken for the first, or the first for another")
	}
}
