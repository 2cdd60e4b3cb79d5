//go:build !linux

package capture

import (
	"net/netip"
	"os"
)

// Outside is for Linux, as Hidden is.
func Outside(endpoints []netip.AddrPort) []netip.AddrPort { return endpoints }

// Hidden is for Linux, which has network namespaces.
func Hidden([]netip.AddrPort, []*os.File) (bool, error) { return false, ErrNoLive }
