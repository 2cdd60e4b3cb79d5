package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestGrowth(t *testing.T) {
	for size, want := range map[uint64]int{
		0:             offlineGCPercent, // not known
		1 << 20:       700,
		4 << 20:       100,
		smallHeap - 1: offlineGCPercent,
		smallHeap:     offlineGCPercent,
		1 << 30:       offlineGCPercent,
	} {
		if got := growth(size); got != want {
			t.Errorf("%d bytes may grow by %d %%, want %d", size, got, want)
		}
	}
}

// The runtime tells what is asked of it, and what is kept is in it.
func TestFrugalityReadsTheHeap(t *testing.T) {
	const kept = 16 << 20
	f := newFrugality()
	runtime.GC()
	before := f.read()
	data := make([]byte, kept)
	runtime.GC()
	if after := f.read(); before == 0 || after < before+kept/2 {
		t.Errorf("with %d bytes more it is %d in place of %d", kept, after, before)
	}
	runtime.KeepAlive(data)
}

// What is seen is set.
func TestFrugalityIsSet(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(123))
	runtime.GC()
	f := newFrugality()
	f.look()
	if set := debug.SetGCPercent(123); set != growth(f.read()) {
		t.Errorf("it may grow by %d %%, want %d", set, growth(f.read()))
	}
}

func BenchmarkFrugality(b *testing.B) {
	f := newFrugality()
	for b.Loop() {
		f.look()
	}
}
