//go:build !linux

package cli

// residentMemory is not known.
func residentMemory() uint64 { return 0 }
