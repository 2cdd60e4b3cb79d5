package capture

import (
	"net/netip"
	"testing"
)

// Connections that are captured in the same place share a vantage, also where several
// places take turns.
func TestVantages(t *testing.T) {
	at := func(service, named, network string) vantage {
		return vantage{netip.MustParseAddrPort(service), named, network}
	}
	places := []vantage{
		at("169.254.169.254:80", "eth0", ""),
		at("169.254.169.254:80", "eth1", ""),
		at("[fd00:ec2::254]:80", "eth0", ""),
		at("169.254.169.254:80", "eth0", "net:[4026531840]"),
	}
	var v vantages
	first := make(map[vantage]*vantage)
	for range 3 {
		for _, place := range places {
			got := v.shared(place)
			if *got != place {
				t.Errorf("%+v is captured at %+v", place, got)
			}
			if first[place] == nil {
				first[place] = got
			}
			if got != first[place] {
				t.Errorf("%+v has another vantage than before", got)
			}
		}
	}
	if v.shared(at("169.254.169.254:80", "eth2", "")) == first[places[0]] || *v.shared(places[0]) != *first[places[0]] {
		t.Error("a fifth place is taken for the first, or the first for another")
	}
}
