//go:build !linux

package cli

// calmMonitor is for live captures, which are for Linux.
func calmMonitor() {}
