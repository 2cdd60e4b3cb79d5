//go:build !linux

package confine

// Restrict fails with ErrUnsupported: filters of system calls are Linux's.
func (Job) Restrict() error { return ErrUnsupported }
