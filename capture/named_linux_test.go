//go:build cgo

package capture

import (
	"errors"
	"slices"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// An interface that is there again has gone before, also if nobody has looked meanwhile.
func TestNamedTells(t *testing.T) {
	for _, test := range []struct {
		name       string
		was, bound int
		lost       bool
		want       []string
	}{
		{"nothing has changed", 3, 3, false, nil},
		{"there is none still", 0, 0, false, nil},
		{"gone", 3, 0, true, []string{"gone"}},
		{"there again", 0, 4, true, []string{"there"}},
		{"there again, and gone", 0, 0, true, nil},
		{"replaced between two looks", 3, 4, true, []string{"gone", "there"}},
		{"by one of the same number", 3, 3, true, []string{"gone", "there"}},
	} {
		var got []string
		n := &named{bound: test.bound, changed: func(err error) {
			switch {
			case err == nil:
				got = append(got, "there")
			case errors.Is(err, ErrGone):
				got = append(got, "gone")
			}
		}}
		if n.tell(test.was, test.lost); !slices.Equal(got, test.want) {
			t.Errorf("%s: it tells %q", test.name, got)
		}
	}
}

// An interface that was gone and is there again between two looks is captured again, also if
// it has its number still, as one that was in another namespace meanwhile.
func TestNamedIsBoundAgain(t *testing.T) {
	const name, number = "cable7", 77
	remake := func(number int) func() error {
		return func() error {
			if link, err := netlink.LinkByName(name); err == nil {
				if err := netlink.LinkDel(link); err != nil {
					return err
				}
			}
			return netlink.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: name, Index: number}, PeerName: "other7"})
		}
	}
	for _, test := range []struct {
		name   string
		change func() error
		want   int // is bound then
		told   int // changes
	}{
		{"nothing has changed", func() error { return nil }, number, 0},
		{"down and up", bringUp(name), number, 0},
		{"another number", remake(2 * number), 2 * number, 2},
		{"the same number", remake(number), number, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			network := newTestNetwork(t)
			told := 0
			n := &named{first: &pcapSource{name: name}, over: true, changed: func(error) { told++ }, socket: &packetSocket{}}
			bound := 0
			look := func() error {
				return errors.Join(n.rebind(), n.socket.control(func(fd int) error {
					at, err := unix.Getsockname(fd)
					if err == nil {
						bound = at.(*unix.SockaddrLinklayer).Ifindex
					}
					return err
				}))
			}
			network.do(t, remake(number), func() error { return n.socket.make(func(int) error { return nil }) }, look)
			defer n.socket.Close()
			if bound != number || told != 1 {
				t.Fatalf("%d is bound, and %d changes are told", bound, told)
			}
			network.do(t, test.change, look, look)
			if bound != test.want || told != 1+test.told {
				t.Errorf("%d is bound, and %d more changes are told", bound, told-1)
			}
		})
	}
}
