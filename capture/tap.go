package capture

import (
	"net/netip"
	"time"
)

// TapSYNs reads the source to its end and calls seen for each SYN to an
// endpoint, as soon as it is there. The source is one opened with SYNTap.
func TapSYNs(source Source, endpoints []netip.AddrPort, seen func(client, service netip.AddrPort, at time.Time)) error {
	hurryMost()
	d := decoder{endpoints: endpoints}
	for {
		p, err := source.Next()
		if err != nil {
			return err
		}
		if s, ok := d.decode(&p); ok && s.direction == up && s.has(flagSYN) {
			seen(s.client, s.service, s.time)
		}
	}
}
