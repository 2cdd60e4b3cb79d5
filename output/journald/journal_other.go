//go:build !linux

package journald

import "errors"

// Journal is not there.
type Journal struct{}

// Open fails: there is no journal on this system.
func Open(string) (*Journal, error) { return nil, errors.New("there is no journal on this system") }

// Write takes nothing.
func (*Journal) Write([]byte) (int, error) { return 0, errors.ErrUnsupported }

// Close does nothing.
func (*Journal) Close() error { return nil }
