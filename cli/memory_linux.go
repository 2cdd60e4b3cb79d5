package cli

import (
	"os"
	"strconv"
	"strings"
)

// residentMemory is what of the program's memory is resident, in bytes: the second number
// of /proc/self/statm, in pages (proc_pid_statm(5)). It is 0 if that is not known.
func residentMemory() uint64 {
	statm, err := os.ReadFile("/proc/self/statm")
	fields := strings.Fields(string(statm))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseUint(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}
