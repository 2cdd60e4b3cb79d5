package cli

import (
	"io"
	"os"
)

// wholeBlocks is a file to which each Write adds a whole block, or, when it is mended,
// nothing.
type wholeBlocks struct {
	file *os.File
	size int64 // of what is whole
}

// Write implements io.Writer.
func (b *wholeBlocks) Write(block []byte) (int, error) {
	n, err := b.file.Write(block)
	if err == nil {
		b.size += int64(n)
	}
	return n, err
}

// mend cuts off what a failed Write has left.
func (b *wholeBlocks) mend() error {
	if err := b.file.Truncate(b.size); err != nil {
		return err
	}
	_, err := b.file.Seek(b.size, io.SeekStart)
	return err
}
