package diagnosis

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func mustVersion(t testing.TB, s string) version {
	t.Helper()
	v, ok := parseVersion(s)
	if !ok {
		t.Fatalf("%q is no version", s)
	}
	return v
}

// Each version comes before the next one, and those on one line are the same.
func TestVersionOrder(t *testing.T) {
	ladder := [][]string{
		{"0.18.9", "v0.18.9", "0.18.9-1.amzn2"},
		{"0.19.0~rc.1-1", "0.19.0-rc1", "0.19.0-beta.2", "0.19.0.dev3", "0.19-alpha"},
		{"0.19.0", "0.19", "0.19.0.0", "v0.19.0", "0.19.0-eksbuild.1"},
		{"1.9.19", "1:1.9.19-1", "2:1.9.19-1.el7"},
		{"1.10.0", "v1.10.0-eksbuild.1", "1.10"},
		{"1.10.1"},
		{"3.0.413.0"},
		{"3.0.431.0", "3.0.431.0-1", "3.0.431"},
		{"7.63.3"},
		{"7.64.0", "1:7.64.0-1", "7.64.0~ubuntu1"},
		{"19.4-33-gbb4131a2-0ubuntu1~18.04.1"},
		{"20.1", "20.1-10-g71af48df-0ubuntu5~20.04.2"},
		{"20.2", "20.2-45-g5f7825e2-0ubuntu1"},
		{"2023.4.1"},
	}
	for i, step := range ladder {
		for _, a := range step {
			for j, other := range ladder {
				for _, b := range other {
					want := min(max(i-j, -1), 1)
					if got := mustVersion(t, a).compare(mustVersion(t, b)); got != want {
						t.Errorf("%s to %s: %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
}

func TestVersionUnknown(t *testing.T) {
	for _, s := range []string{"", "latest", "v", "gox", "master-7", "7-debian", "abc1.2", ".1.2", "-1.2", "1234567890.1", "20260101123456", "0.1234567890", "arm64-2.21.0", "x:1.2"} {
		if v, ok := parseVersion(s); ok {
			t.Errorf("%q became %v", s, v)
		}
	}
	if v, ok := parseVersion("7"); !ok || v.compare(version{numbers: []uint32{7, 0}}) != 0 {
		t.Errorf("a number alone: %v, %v", v, ok)
	}
}

// A random version in a random disguise.
func randomVersion(r *rand.Rand) string {
	parts := make([]string, 2+r.IntN(3))
	for i := range parts {
		parts[i] = string('0' + byte(r.IntN(3)))
	}
	prefixes, suffixes := []string{"", "v", "1:"}, []string{"", "-1", "-rc1", "~beta", "-3-gabc1234", ".dev1", "+deb12u1"}
	return prefixes[r.IntN(len(prefixes))] + strings.Join(parts, ".") + suffixes[r.IntN(len(suffixes))]
}

// The order is a total one: of two versions one comes first or they are the same, and
// what comes before something comes before all that comes after it.
func TestVersionOrderIsTotal(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 50_000 {
		a, b, c := mustVersion(t, randomVersion(r)), mustVersion(t, randomVersion(r)), mustVersion(t, randomVersion(r))
		checkOrder(t, a, b, c)
	}
}

func checkOrder(t *testing.T, a, b, c version) {
	t.Helper()
	if a.compare(a) != 0 || a.compare(b) != -b.compare(a) {
		t.Fatalf("%v and %v: %d, %d, %d", a, b, a.compare(a), a.compare(b), b.compare(a))
	}
	sorted := []version{a, b, c}
	slices.SortFunc(sorted, version.compare)
	if sorted[0].compare(sorted[1]) > 0 || sorted[1].compare(sorted[2]) > 0 || sorted[0].compare(sorted[2]) > 0 {
		t.Fatalf("not in order: %v", sorted)
	}
	if a.compare(b) == 0 && a.compare(c) != b.compare(c) {
		t.Fatalf("%v and %v are the same, and are not to %v", a, b, c)
	}
}

// FuzzVersion: whatever is read has its place in the order, and another number behind
// it comes after it or, if that is 0, changes nothing.
func FuzzVersion(f *testing.F) {
	for _, s := range []string{"1.2.3", "2:3.0.1-1.el7", "20.1-10-g71af48df-0ubuntu5~20.04.2", "v1.10.0-eksbuild.1", "1.0rc1", "latest", "::1", "999999999.1"} {
		f.Add(s, "1.2", "0.0.1~rc1")
	}
	f.Fuzz(func(t *testing.T, x, y, z string) {
		a, okA := parseVersion(x)
		b, okB := parseVersion(y)
		c, okC := parseVersion(z)
		if okA && okB && okC {
			checkOrder(t, a, b, c)
		}
		if okA {
			longer := version{append(slices.Clone(a.numbers), 0), a.preRelease}
			later := version{append(slices.Clone(a.numbers), 1), a.preRelease}
			if a.compare(longer) != 0 || a.compare(later) != -1 {
				t.Errorf("%q: %v, %d, %d", x, a, a.compare(longer), a.compare(later))
			}
		}
	})
}
