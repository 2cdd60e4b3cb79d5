package testbed

import (
	"errors"
	"strings"
	"testing"
	"time"
)

const statOf = "4242 (a b) c) S 1 4242 4242 0 -1 4194560 1 2 3 4 150 25 0 0 20 0 9 0 100 0 0"

func TestParseCPU(t *testing.T) {
	if cpu, err := ParseCPU(statOf); err != nil || cpu != 1750*time.Millisecond {
		t.Errorf("%v, %v", cpu, err)
	}
	for _, stat := range []string{"", "4242 (a) S 1", strings.Replace(statOf, " 25 ", " x ", 1), strings.Replace(statOf, " 150 ", " -1 ", 1)} {
		if _, err := ParseCPU(stat); !errors.Is(err, ErrProc) {
			t.Errorf("%q: %v", stat, err)
		}
	}
}

func FuzzParseCPU(f *testing.F) {
	f.Add(statOf)
	f.Add("1 () S")
	f.Add(")")
	f.Fuzz(func(t *testing.T, stat string) {
		if cpu, err := ParseCPU(stat); cpu < 0 || err != nil && !errors.Is(err, ErrProc) {
			t.Errorf("%v, %v", cpu, err)
		}
	})
}

func TestField(t *testing.T) {
	const status = "Name:\tVmRSS:\nVmHWM:\t   20480 kB\nVmRSS:\t   10240 kB\nEmpty:\n"
	if n, err := Field(status, "VmRSS:"); err != nil || n != 10240 {
		t.Errorf("%d, %v", n, err)
	}
	for _, name := range []string{"VmSwap:", "Empty:"} {
		if _, err := Field(status, name); !errors.Is(err, ErrProc) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Field("processes many\n", "processes "); err == nil {
		t.Error("a word is a number")
	}
}

func FuzzField(f *testing.F) {
	f.Add("VmRSS:\t   10240 kB\n", "VmRSS:")
	f.Add("cpu 1 2\nprocesses 7", "processes ")
	f.Fuzz(func(t *testing.T, text, name string) {
		if n, err := Field(text, name); n != 0 && err == nil && !strings.Contains(text, name) {
			t.Errorf("%d is after no %q", n, name)
		}
	})
}
