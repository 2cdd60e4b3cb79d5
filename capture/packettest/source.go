package packettest

import (
	"io"
	"os"

	"imds-analyzer/capture"
)

// Open returns the Source of a capture file.
func Open(name string) capture.Source {
	return sourceOf(name, func() (io.ReadCloser, error) { return os.Open(name) }, nil)
}

// Read returns the Source of the capture in r, of which the sieve, unless nil, leaves packets out.
func Read(r io.Reader, sieve *capture.Sieve) capture.Source {
	return sourceOf("", func() (io.ReadCloser, error) { return io.NopCloser(r), nil }, sieve)
}

func sourceOf(name string, open func() (io.ReadCloser, error), sieve *capture.Sieve) capture.Source {
	return capture.NewFileSet([]capture.SetFile{{Name: name, Open: open}}, sieve)
}
