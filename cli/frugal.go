package cli

import (
	"runtime/debug"
	"runtime/metrics"
)

// smallHeap is what the heap and the stacks may take before memory counts more than
// processor time: then the heap is cleaned whenever it has grown as offlineGCPercent says. Of
// a small one that would be used up every few milliseconds.
const smallHeap = 8 << 20

// frugality sets how much the heap may grow while files are read.
type frugality struct {
	percent int // as it was set last
	size    []metrics.Sample
}

func newFrugality() *frugality {
	return &frugality{size: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"},
	}}
}

// look sets it by what was there when the heap was cleaned last. It is not set anew for
// small differences: that stops everything for a moment.
func (f *frugality) look() {
	percent := growth(f.read())
	if percent < f.percent*3/4 || percent > f.percent*5/4 {
		f.percent = percent
		debug.SetGCPercent(percent)
	}
}

// read returns what was left when the heap was cleaned last, in bytes, 0 if it never was: the
// heap with the stacks, and the variables of packages, which the runtime's percentage is of
// too, although they do not grow.
func (f *frugality) read() (heap, globals uint64) {
	metrics.Read(f.size)
	live := f.size[0].Value.Uint64()
	if live == 0 {
		return 0, 0
	}
	return live + f.size[1].Value.Uint64(), f.size[2].Value.Uint64()
}

// growth is by how many percent of heap and globals a heap of this size may grow.
func growth(heap, globals uint64) int {
	if heap == 0 || heap >= smallHeap {
		return offlineGCPercent
	}
	return max(offlineGCPercent, int((smallHeap-heap)*100/(heap+globals)))
}
