package main

import (
	"strings"
	"testing"
	"time"
)

func TestKindArithmetic(t *testing.T) {
	for _, test := range []struct {
		kind        string
		calls, want int
		rate, share int
		interval    time.Duration
	}{
		{"get", 10, 10, 100, 1, 10 * time.Millisecond},
		{"token", 10, 5, 100, 1, 20 * time.Millisecond},
		{"token", 11, 6, 1000, 1, 2 * time.Millisecond},
		{"agent", 100, 100, 1000, 16, 16 * time.Millisecond},
		{"agent-token", 100, 50, 1000, 16, 32 * time.Millisecond},
		{"keep-alive", 7, 7, 32_000, 16, 500 * time.Microsecond},
	} {
		k, ok := kindNamed(test.kind)
		if !ok || k.turns(test.calls) != test.want || k.interval(test.rate, test.share) != test.interval {
			t.Errorf("%s: %d turns for %d calls, one in %v", test.kind, k.turns(test.calls), test.calls, k.interval(test.rate, test.share))
		}
	}
	if _, ok := kindNamed("none"); ok {
		t.Error("there is a kind of no name")
	}
}

func TestCallerOf(t *testing.T) {
	for target, want := range map[string]int{
		"/latest/meta-data/0/7/4242/4242/0":                         4242,
		"/latest/api/token?for=/latest/meta-data/0/7/4242/4242/0":   4242,
		"/latest/meta-data/0/7/4242/4242":                           0,
		"/latest/meta-data/0/7/4242/4242/0/0":                       0,
		"/latest/meta-data/0/7/x/4242/0":                            0,
		"/latest/meta-data/0/7/-1/4242/0":                           0,
		"/latest/api/token":                                         0,
		"http://169.254.169.254/latest/meta-data/0/7/4242/4242/0":   0,
		"/latest/meta-data/0/7/99999999999999999999999999999/4/0":   0,
		"/latest/api/token?for=/latest/user-data/0/7/4242/4242/0/0": 0,
	} {
		if pid, ok := callerOf(target); ok != (want > 0) || ok && pid != want {
			t.Errorf("%s: %d, %v", target, pid, ok)
		}
	}
}

func FuzzCallerOf(f *testing.F) {
	f.Add("/latest/meta-data/0/7/4242/4242/0")
	f.Add("/latest/api/token?for=/latest/meta-data/0/7/4242/4242/0")
	f.Fuzz(func(t *testing.T, target string) {
		if pid, ok := callerOf(target); ok && (pid <= 0 || !strings.Contains(target, metadataPath)) {
			t.Errorf("%q is of %d", target, pid)
		}
	})
}

func TestPace(t *testing.T) {
	begin := time.Unix(1000, 0)
	p := pace{begin, 10 * time.Millisecond}
	if due := p.due(5); !due.Equal(begin.Add(50 * time.Millisecond)) {
		t.Errorf("the sixth is due at %v", due)
	}
	for at, want := range map[time.Duration]time.Duration{0: 50, 20: 30, 50: 0, 90: 0} {
		if wait := p.wait(5, begin.Add(at*time.Millisecond)); wait != want*time.Millisecond {
			t.Errorf("after %d ms it waits for %v", at, wait)
		}
	}
}
