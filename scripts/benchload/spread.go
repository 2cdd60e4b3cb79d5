package main

import (
	"fmt"
	"slices"

	"imds-analyzer/scripts/testbed"
)

// percentile is the least value that so many hundredths of all do not exceed: the nearest
// rank. 0 is for the least value. Of none it is 0.
func percentile[V int64 | float64](values []V, hundredths int) V {
	if len(values) == 0 {
		var none V
		return none
	}
	rank := (hundredths*len(values) + 99) / 100 // rounded up
	return slices.Sorted(slices.Values(values))[max(rank, 1)-1]
}

// spreadOf is "MEDIAN (LEAST to MOST)".
func spreadOf(values []float64, format string) string {
	return fmt.Sprintf(format+" ("+format+" to "+format+")", testbed.Median(values), percentile(values, 0), percentile(values, 100))
}
