//go:build !linux

package cli

// Live capture is for Linux: elsewhere the process needs no privileges.
func leaveProgramsNothing() error   { return nil }
func dropPrivileges([]string) error { return nil }
func capabilities() []string        { return nil }
