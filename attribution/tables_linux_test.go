package attribution

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func fixtureTables(own bool) *tables {
	s := fixtureSearch(after(time.Minute))
	ours := addresses{
		netip.MustParseAddr("10.0.0.5"):    true,
		netip.MustParseAddr("2001:db8::5"): true,
	}
	return &tables{proc: s.facts.proc, search: s, own: own, addresses: func() addresses { return ours }}
}

func TestTables(t *testing.T) {
	const v4, v6 = "169.254.169.254:80", "[fd00:ec2::254]:80"
	for _, test := range []struct {
		name          string
		own           bool
		local, remote string
		status        Status
		pid           int
	}{
		{"our namespace, past a closed socket", true, "10.0.0.5:40000", v4, Resolved, 100},
		{"IPv4 of an IPv6 socket", true, "10.0.0.5:40002", v4, Resolved, 201},
		{"IPv6", true, "[2001:db8::5]:40003", v6, Shared, 210},
		{"closed", true, "10.0.0.5:40001", v4, "", 0},
		{"our namespace is not ours to look into", false, "10.0.0.5:40000", v4, "", 0},
		{"container", false, "172.17.0.2:50000", v4, Resolved, 300},
		{"container, after our own", true, "172.17.0.2:50000", v4, Resolved, 300},
		{"the same tuple in two containers", false, "172.17.0.2:50001", v4, NotFound, 0},
		{"nowhere", true, "172.17.0.9:1", v4, "", 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			q := queryAt(after(time.Minute))
			q.opened = time.Time{}
			q.tuple = tuple(test.local, test.remote)
			a := fixtureTables(test.own).find([]query{q})[0]
			if a.Status != test.status || pidOf(a.Process) != test.pid {
				t.Errorf("%q %d, want %q %d", a.Status, pidOf(a.Process), test.status, test.pid)
			}
		})
	}
}

// Tables of a namespace are looked into for its packets, and for others' unless
// they are captured there.
func TestTablesOfNetworks(t *testing.T) {
	const one, two = "net:[4026532001]", "net:[4026532002]"
	const only, both, ours = "172.17.0.2:50000", "172.17.0.2:50001", "10.0.0.5:40000"
	for _, test := range []struct {
		name     string
		captured []string
		network  string
		local    string
		pid      int
	}{
		{"captured there", []string{one}, one, only, 300},
		{"captured there, and another has the same", []string{one, two}, one, both, 300},
		{"captured there, the other's", []string{one, two}, two, both, 400},
		{"another has the same, which is not captured", []string{one}, one, both, 0},
		{"of ours, and one of two is captured", []string{one}, "", both, 400},
		{"of ours, and both are captured", []string{one, two}, "", both, 0},
		{"of ours, and it is captured", []string{one}, "", only, 0},
		{"of ours", []string{one}, "", ours, 100},
		{"not of ours", []string{one}, one, ours, 0},
		{"by way of another", []string{two}, two, only, 300},
	} {
		w := fixtureTables(true)
		w.captured = followerOf(test.captured...)
		q := queryAt(after(time.Minute))
		q.tuple = tuple(test.local, "169.254.169.254:80")
		q.tuple.Network = test.network
		if a := w.find([]query{q})[0]; pidOf(a.Process) != test.pid {
			t.Errorf("%s: %s %d, want %d", test.name, a.Status, pidOf(a.Process), test.pid)
		}
	}
}

func TestTablesForMany(t *testing.T) {
	const service = "169.254.169.254:80"
	var queries []query
	for _, local := range []string{"172.17.0.2:50000", "10.0.0.5:40000", "172.17.0.2:50001", "10.0.0.5:40000", "10.0.0.5:40001"} {
		q := queryAt(after(time.Minute))
		q.tuple = tuple(local, service)
		queries = append(queries, q)
	}
	want := []int{300, 100, 0, 100, 0}
	for i, a := range fixtureTables(true).find(queries) {
		if pidOf(a.Process) != want[i] {
			t.Errorf("%v: %s %d, want %d", queries[i].tuple, a.Status, pidOf(a.Process), want[i])
		}
	}
}

func TestTablesOutOfTime(t *testing.T) {
	q := query{tuple: tuple("172.17.0.2:50000", "169.254.169.254:80"), at: after(time.Minute), until: time.Now()}
	if a := fixtureTables(true).find([]query{q})[0]; a.Status != "" {
		t.Errorf("%+v", a)
	}
	l := newLookOut([]query{q})
	fixtureTables(false).readOthers(l)
	if l.inodes[0] != 0 || l.complete {
		t.Errorf("socket %d, complete %v", l.inodes[0], l.complete)
	}
}

func TestOpenWithoutProc(t *testing.T) {
	r, err := Open(Options{Proc: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	p := r.Seen(tuple("10.0.0.1:1", "169.254.169.254:80"), time.Now())
	<-p.Done()
	if a := p.Answer(); a.Status != Unavailable {
		t.Errorf("%s", a.Status)
	}
	if len(r.Methods()) != 0 || len(r.Limits()) != 1 || !strings.Contains(r.Limits()[0], "/proc") {
		t.Errorf("methods %v, limits %q", r.Methods(), r.Limits())
	}
}
