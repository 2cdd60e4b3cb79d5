//go:build !linux || !cgo

package capture

// OpenNamespace returns ErrNoLive.
func OpenNamespace(LiveOptions, string) (LiveSource, error) { return nil, ErrNoLive }
