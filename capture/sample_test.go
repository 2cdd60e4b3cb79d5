package capture

import (
	"iter"
	"testing"
)

// sampleStride is a prime, so that it does not fall in step with the packets of a call.
const sampleStride = 11

// Sample yields the numbers below n. Under -short, which goes with the race detector, that
// makes tests ten times as slow, it yields one in sampleStride.
func Sample[N int | int64 | uint64](n N) iter.Seq[N] {
	stride := N(1)
	if testing.Short() {
		stride = sampleStride
	}
	return func(yield func(N) bool) {
		for i := N(0); i < n && yield(i); i += stride {
		}
	}
}
