package main

import (
	"fmt"
	"slices"
)

// quantile is the value below which the part q of all values lies, 0 for the least
// and 1 for the largest: the nearest rank. Of none it is 0.
func quantile[V int64 | float64](values []V, q float64) V {
	if len(values) == 0 {
		var none V
		return none
	}
	sorted := slices.Sorted(slices.Values(values))
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(values))
	return (sorted[(n-1)/2] + sorted[n/2]) / 2
}

// spreadOf is "MEDIAN (LEAST to MOST)".
func spreadOf(values []float64, format string) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", median(values), quantile(values, 0), quantile(values, 1))
}
