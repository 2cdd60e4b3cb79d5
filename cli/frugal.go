package cli

import (
	"runtime/debug"
	"runtime/metrics"
)

// smallHeap is what the heap, and what else is looked through when it is cleaned, may take
// before memory counts more than processor time: then it is cleaned whenever it has grown as
// offlineGCPercent says. Of a small one that would be used up every few milliseconds.
const smallHeap = 8 << 20

// frugality sets how much the heap may grow while files are read.
type frugality struct {
	percent int // as it was set last
	size    []metrics.Sample
}

func newFrugality() *frugality {
	return &frugality{size: []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/scan/stack:bytes"},
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

// read returns what is looked through when the heap is cleaned, in bytes, 0 if it never was.
func (f *frugality) read() (size uint64) {
	metrics.Read(f.size)
	if f.size[0].Value.Uint64() == 0 {
		return 0
	}
	for _, part := range f.size {
		size += part.Value.Uint64()
	}
	return size
}

// growth is by how many percent what has this size may grow.
func growth(size uint64) int {
	if size == 0 || size >= smallHeap {
		return offlineGCPercent
	}
	return max(offlineGCPercent, int((smallHeap-size)*100/size))
}
