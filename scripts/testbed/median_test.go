package testbed

import (
	"math"
	"slices"
	"testing"
)

func TestMedian(t *testing.T) {
	for want, figures := range map[float64][]float64{3: {3}, 2.5: {4, 1, 2, 3}, 2: {9, 1, 2}} {
		before := slices.Clone(figures)
		if got := Median(figures); got != want || !slices.Equal(before, figures) {
			t.Errorf("of %v it is %v, and they are %v", before, got, figures)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("of none it is %v", got)
	}
}
