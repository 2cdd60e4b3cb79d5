package main

import (
	"os"
	"syscall"
)

// peakRSS is the peak of the memory of a process that has ended, in bytes;
// Linux counts it in KiB (getrusage(2)).
func peakRSS(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	return int64(usage.Maxrss) << 10
}
