package cli

import (
	"runtime"
	"runtime/debug"
	"testing"
)

func TestGrowth(t *testing.T) {
	for _, c := range []struct {
		heap, globals uint64
		want          int
	}{
		{0, 0, offlineGCPercent}, // not known
		{1 << 20, 0, 700},
		{4 << 20, 0, 100},
		{4 << 20, 4 << 20, 50}, // the heap by as much
		{smallHeap - 1, 0, offlineGCPercent},
		{smallHeap, 4 << 20, offlineGCPercent},
		{1 << 30, 0, offlineGCPercent},
	} {
		if got := growth(c.heap, c.globals); got != c.want {
			t.Errorf("a heap of %d bytes beside %d may grow by %d %%, want %d", c.heap, c.globals, got, c.want)
		}
	}
}

// The runtime tells what is asked of it, and what is kept is in it.
func TestFrugalityReadsTheHeap(t *testing.T) {
	const kept = 16 << 20
	f := newFrugality()
	runtime.GC()
	before, globals := f.read()
	data := make([]byte, kept)
	runtime.GC()
	if after, _ := f.read(); before == 0 || after < before+kept/2 {
		t.Errorf("with %d bytes more it is %d in place of %d", kept, after, before)
	}
	if globals == 0 {
		t.Error("no package has a variable")
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
