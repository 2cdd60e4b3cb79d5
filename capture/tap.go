package capture

import (
	"net/netip"
	"time"
)

// TapSYNs starts to read the source, one opened with SYNTap, and calls seen for each SYN
// to an endpoint as soon as it is there. It returns when the thread that reads has its
// priority, and needs no privilege any more. The channel then has why the source ended.
func TapSYNs(source Source, endpoints []netip.AddrPort, seen func(client, service netip.AddrPort, at time.Time)) <-chan error {
	hurries, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		hurryMost()
		close(hurries)
		ended <- tapSYNs(source, endpoints, seen)
	}()
	<-hurries
	return ended
}

func tapSYNs(source Source, endpoints []netip.AddrPort, seen func(client, service netip.AddrPort, at time.Time)) error {
	d := newDecoder(endpoints)
	for {
		p, err := source.Next()
		if err != nil {
			return err
		}
		var s segment
		if d.decode(p, unwrapPktap(p), &s) && s.direction == up && s.has(flagSYN) {
			service := d.service(&s)
			seen(s.key.client(service), service, s.time)
		}
	}
}
