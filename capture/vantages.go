package capture

import "net/netip"

// vantage is where connections are captured.
type vantage struct {
	service netip.AddrPort
	named   string // the interface
	network string
}

func (a *Analyzer) vantageOf(s *segment) *vantage {
	return a.vantages.shared(vantage{a.decoder.service(s), s.named, s.network})
}

// vantages are the latest that were new, for connections to share: those of two endpoints
// on two interfaces.
type vantages struct {
	latest [4]*vantage
	next   int
}

func (v *vantages) shared(of vantage) *vantage {
	for _, known := range v.latest {
		if known != nil && *known == of {
			return known
		}
	}
	v.next = (v.next + 1) % len(v.latest)
	added := of // and not of itself, which would be allocated each time
	v.latest[v.next] = &added
	return v.latest[v.next]
}
