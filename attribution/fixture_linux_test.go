package attribution

import (
	"slices"
	"testing"
	"time"
)

// bootOfFixture is when the machine of testdata/proc booted.
func bootOfFixture() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// after is a time on that machine.
func after(boot time.Duration) time.Time { return bootOfFixture().Add(boot) }

func fixture() proc { return proc{root: "testdata/proc", boot: bootOfFixture} }

// fixtureSearch looks for sockets there at a time.
func fixtureSearch(now time.Time) *search {
	return &search{facts: newFacts(fixture(), "testdata/passwd"), now: func() time.Time { return now }}
}

func stillOpen(Tuple, uint64) bool { return true }

// findHolders looks for one socket.
func findHolders(s *search, inode uint64, q query) Answer {
	return s.answers([]query{q}, []uint64{inode}, stillOpen)[0]
}

func queryAt(at time.Time) query {
	return query{at: at, opened: at, until: time.Now().Add(time.Hour)}
}

func TestProcessesByAge(t *testing.T) {
	pids, err := fixture().pids()
	if err != nil {
		t.Fatal(err)
	}
	want := []int{542, 541, 540, 531, 530, 520, 511, 510, 501, 500, 400, 301, 300, 250, 212, 211, 210, 201, 200, 100, 2, 1, 30000}
	if !slices.Equal(pids, want) {
		t.Errorf("%v, want %v", pids, want)
	}
}

func TestProcessesByAgeWithoutLast(t *testing.T) {
	pids := []int{3, 1, 2}
	newestFirst(pids, fixtureWithout(t).lastPID())
	if len(pids) != 3 {
		t.Errorf("%v", pids)
	}
}

// fixtureWithout is a /proc without processes.
func fixtureWithout(t *testing.T) proc { return proc{root: t.TempDir(), boot: bootOfFixture} }

func TestProbe(t *testing.T) {
	if err := fixture().probe(); err != nil {
		t.Error(err)
	}
	if err := fixtureWithout(t).probe(); err == nil {
		t.Error("a directory without processes passes for /proc")
	}
}
