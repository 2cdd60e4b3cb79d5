package capture

import "net/netip"

// vantage is where connections are captured.
type vantage struct {
	service netip.AddrPort
	named   string // the interface
	network string
}

func (v *vantage) isOf(s *segment) bool {
	return v.service == s.service && v.named == s.named && v.network == s.network
}

// vantages are the latest that were new, for connections to share: those of two endpoints
// on two interfaces.
type vantages struct {
	latest [4]*vantage
	next   int
}

func (v *vantages) of(s *segment) *vantage {
	for _, known := range v.latest {
		if known != nil && known.isOf(s) {
			return known
		}
	}
	v.next = (v.next + 1) % len(v.latest)
	v.latest[v.next] = &vantage{s.service, s.named, s.network}
	return v.latest[v.next]
}
