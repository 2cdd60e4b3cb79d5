//go:build !linux

package capture

// hurry does nothing where threads have no priorities of their own.
func hurry() {}

func hurryMost() {}
