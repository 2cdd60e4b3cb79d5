package report

// sum is at most what there is room for: a log can say what it likes, and no count may begin
// again at 0.
func sum[N uint32 | uint64](a, b N) N {
	if a+b < a {
		return ^N(0)
	}
	return a + b
}

// Sum is the sum of two counts, for those who show a report: at most what there is room for.
func Sum(a, b uint64) uint64 { return sum(a, b) }

// less is by how much n is less than all.
func less(all, n uint64) uint64 { return all - min(all, n) }
