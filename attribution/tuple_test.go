package attribution

import "net/netip"

func tuple(local, remote string) Tuple {
	return Tuple{Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}
}

func pidOf(p *Process) int {
	if p == nil {
		return 0
	}
	return p.PID
}
