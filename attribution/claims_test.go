package attribution

import (
	"net/netip"
	"slices"
	"testing"
	"time"
)

const service1, service2 = "169.254.169.254:80", "[fd00:ec2::254]:80"

func testClaims() claims {
	return newClaims([]netip.AddrPort{netip.MustParseAddrPort(service1), netip.MustParseAddrPort(service2)})
}

// made is a connection that was made by a process.
func made(pid int, service string) *handshake {
	local := "10.0.0.1:1000"
	if service == service2 {
		local = "[fd00:1::7]:1000"
	}
	return &handshake{tuple: tuple(local, service), pid: pid, succeeded: true}
}

func pids(list []*handshake) (pids []int) {
	for _, h := range list {
		pids = append(pids, h.pid)
	}
	return pids
}

func TestClaimsAwait(t *testing.T) {
	for _, test := range []struct {
		name string
		h    *handshake
		want bool
	}{
		{"to a service", made(1, service1), true},
		{"to a service, IPv6", made(1, service2), true},
		{"elsewhere", made(1, "203.0.113.7:80"), false},
		{"to another port", made(1, "169.254.169.254:8080"), false},
		{"refused", &handshake{tuple: tuple("10.0.0.1:1000", service1)}, false},
		{"seen already", &handshake{tuple: tuple("10.0.0.1:1000", service1), succeeded: true, claimed: true}, false},
	} {
		c := testClaims()
		if got := c.await(test.h, noon()); got != test.want || len(c.waiting) > 0 != test.want {
			t.Errorf("%s: %v, %d wait", test.name, got, len(c.waiting))
		}
	}
}

// Each is returned once, when it is old enough, unless it was seen meanwhile.
func TestClaimsTake(t *testing.T) {
	c := testClaims()
	seen := made(2, service1)
	for i, h := range []*handshake{made(1, service1), seen, made(3, service2), made(4, service1)} {
		h.began = int64(i) * int64(time.Second)
		c.await(h, noon().Add(time.Hour)) // read late
	}
	seen.claimed = true
	for _, test := range []struct {
		until time.Duration
		want  []int
	}{{-1, nil}, {0, []int{1}}, {0, nil}, {2 * time.Second, []int{3}}, {time.Hour, []int{4}}, {time.Hour, nil}} {
		if got := pids(c.take(int64(test.until))); !slices.Equal(got, test.want) {
			t.Errorf("%v: %v, want %v", test.until, got, test.want)
		}
	}
	if len(c.waiting) != 0 {
		t.Errorf("%d wait", len(c.waiting))
	}
}

// A connection is seen by its tuple, in the network namespace that is meant.
func TestClaimsClaim(t *testing.T) {
	c := testClaims()
	for i, service := range []string{service1, service1, service2} {
		c.await(made(i+1, service), noon())
	}
	t1 := tuple("10.0.0.1:1000", service1)
	t1.Network = "net:[7]"
	c.claim(t1, 0, func(h *handshake) bool { return h.pid == 2 })
	c.claim(tuple("10.0.0.1:1001", service1), 0, func(*handshake) bool { return true })
	if missing := c.take(0); !slices.Equal(pids(missing), []int{1, 3}) {
		t.Errorf("missing %v", pids(missing))
	}
}

// There is room for as many as are remembered. Of the oldest beyond that it is not
// known whether they were seen, and so they are not missing.
func TestClaimsAreBounded(t *testing.T) {
	c := testClaims()
	for i := range maxUnclaimed + 5 {
		h := made(i, service1)
		c.await(h, noon())
		h.claimed = i < 10 // makes room
	}
	if missing := c.take(0); len(missing) != maxUnclaimed-5 || c.lost != 0 {
		t.Errorf("%d are missing, and %d lost", len(missing), c.lost)
	}
	for i := range maxUnclaimed + 5 {
		c.await(made(i, service1), noon())
	}
	if missing := c.take(0); len(missing) != maxUnclaimed || missing[0].pid != 5 || c.lost != 5 {
		t.Errorf("%d are missing from %d on, and %d lost", len(missing), missing[0].pid, c.lost)
	}
}

// One timer is for all that wait. It is said once that some are late, however
// many, and not of what was seen.
func TestClaimsLate(t *testing.T) {
	c := testClaims()
	seen := made(1, service1)
	for i, h := range []*handshake{seen, made(2, service1), made(3, service1)} {
		if watch := c.await(h, noon().Add(time.Duration(i)*time.Second)); watch != (i == 0) {
			t.Errorf("%d: watched %v", i, watch)
		}
	}
	seen.claimed = true
	for _, test := range []struct {
		after, wait time.Duration
		said        int
	}{
		{ClaimWithin, time.Second, 0}, {ClaimWithin + time.Second, time.Second, 1},
		{ClaimWithin + 2*time.Second, 0, 1}, {time.Hour, 0, 1},
	} {
		if wait := c.late(noon().Add(test.after)); wait != test.wait || len(c.missing) != test.said {
			t.Errorf("after %v: %v and said %d times, want %v and %d", test.after, wait, len(c.missing), test.wait, test.said)
		}
	}
	if !c.await(made(4, service1), noon()) {
		t.Error("the next one is not watched")
	}
}

// Without services nothing is told, and that is to be seen.
func TestNoClaims(t *testing.T) {
	c := newClaims(nil)
	if c.await(made(1, service1), noon()) || c.missing != nil {
		t.Error("it is told of connections")
	}
	if wait := c.late(noon()); wait != 0 {
		t.Errorf("it waits %v", wait)
	}
}
