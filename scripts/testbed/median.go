package testbed

import (
	"math"
	"slices"
)

// Median is the middle of the figures, and between the two that are; of none it is not a
// number.
func Median(figures []float64) float64 {
	n := len(figures)
	if n == 0 {
		return math.NaN()
	}
	sorted := slices.Sorted(slices.Values(figures))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}
