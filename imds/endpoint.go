package imds

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Port is the port that the metadata service listens on.
const Port = 80

// DefaultEndpoints are the addresses of the metadata service (EC2 user guide,
// "Access instance metadata for an EC2 instance").
func DefaultEndpoints() []netip.AddrPort {
	return []netip.AddrPort{
		netip.AddrPortFrom(netip.AddrFrom4([4]byte{169, 254, 169, 254}), Port),
		netip.AddrPortFrom(netip.MustParseAddr("fd00:ec2::254"), Port),
	}
}

// ParseEndpoint reads ADDR, ADDR:PORT, [ADDR] or [ADDR]:PORT. Without a port
// it is Port. Names are not looked up.
func ParseEndpoint(s string) (netip.AddrPort, error) {
	if endpoint, err := netip.ParseAddrPort(s); err == nil {
		return checkEndpoint(s, endpoint)
	}
	bare := s
	if strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]") {
		bare = s[1 : len(s)-1]
	}
	addr, err := netip.ParseAddr(bare)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("%s is not an IP address with an optional port, such as 169.254.169.254:80 or [fd00:ec2::254]:80", strconv.Quote(s))
	}
	return checkEndpoint(s, netip.AddrPortFrom(addr, Port))
}

func checkEndpoint(s string, endpoint netip.AddrPort) (netip.AddrPort, error) {
	if endpoint.Port() == 0 || endpoint.Addr().IsUnspecified() || endpoint.Addr().Zone() != "" {
		return netip.AddrPort{}, fmt.Errorf("%s is not one address and port that a service can listen on", strconv.Quote(s))
	}
	return netip.AddrPortFrom(endpoint.Addr().Unmap(), endpoint.Port()), nil
}
