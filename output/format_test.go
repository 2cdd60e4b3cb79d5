package output

import (
	"net/netip"
	"testing"
)

func TestEndpoint(t *testing.T) {
	for _, tt := range []struct {
		address Address
		want    string
	}{
		{Address{IP: netip.MustParseAddr("10.0.1.23"), Port: 44976}, "10.0.1.23:44976"},
		{Address{IP: netip.MustParseAddr("fd00:ec2::17"), Port: 80}, "[fd00:ec2::17]:80"},
		{Address{}, "an address that is not known"},
	} {
		if got := endpoint(tt.address); got != tt.want {
			t.Errorf("%+v is %q", tt.address, got)
		}
	}
}
