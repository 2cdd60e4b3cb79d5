package attribution

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// parseCPUs reads a list of processors such as "0-3,8"
// (Documentation/admin-guide/cputopology.rst).
func parseCPUs(list string) (cpus []int, err error) {
	const limit = 1 << 13 // NR_CPUS at most, arch/x86/Kconfig
	for part := range strings.SplitSeq(strings.TrimSpace(list), ",") {
		low, high, isRange := strings.Cut(part, "-")
		if !isRange {
			high = low
		}
		first, err1 := strconv.Atoi(low)
		last, err2 := strconv.Atoi(high)
		if errors.Join(err1, err2) != nil || first < 0 || last >= limit {
			return nil, fmt.Errorf("list of processors %.40q: %w", list, errProcFormat)
		}
		for cpu := first; cpu <= last; cpu++ {
			cpus = append(cpus, cpu)
		}
	}
	return cpus, nil
}
