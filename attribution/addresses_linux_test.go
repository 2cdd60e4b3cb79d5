package attribution

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

func TestReadAddresses(t *testing.T) {
	own := readAddresses()
	for address, want := range map[string]bool{"127.0.0.1": true, "127.9.9.9": true, "::1": true, "203.0.113.77": false, "2001:db8::77": false} {
		if got := own.has(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is ours: %v", address, got)
		}
	}
}

// Interfaces are not read again for each connection, but soon.
func TestInterfacesLately(t *testing.T) {
	i := &interfaces{indices: []uint32{7}, read: time.Now().Add(time.Hour)}
	if got := i.lately(); !slices.Equal(got, []uint32{7}) {
		t.Errorf("they are read again at once: %d", got)
	}
	i.read = time.Now().Add(-2 * rereadInterfaces)
	if got := i.lately(); len(got) == 0 || slices.Equal(got, []uint32{7}) || time.Since(i.read) > rereadInterfaces {
		t.Errorf("they are not read again: %d", got)
	}
}
