//go:build !cgo || windows

package capture

// LibpcapVersion returns nothing: there is no libpcap in this build.
func LibpcapVersion() string { return "" }

// OpenLive returns ErrNoLive.
func OpenLive(LiveOptions) (LiveSource, error) { return nil, ErrNoLive }
