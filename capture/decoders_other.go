//go:build !linux || !cgo

package capture

// ReleaseDecoders has nothing to give back where gopacket is not linked, and nothing to do it
// with elsewhere.
func ReleaseDecoders() {}
