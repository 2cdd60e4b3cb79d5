package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/flate"
	"github.com/klauspost/compress/gzip"
)

// fileIsGzip reports whether head begins a gzip member with the one method
// that there is (RFC 1952, section 2.3).
func fileIsGzip(head []byte) bool {
	return head[0] == 0x1f && head[1] == 0x8b && head[2] == 8
}

// fileGzipBuffer is what the unpacker takes at once of what was read. It fits
// into a processor's first cache.
const fileGzipBuffer = 16 << 10

// fileGzip unpacks the members of a gzip file one after the other (RFC 1952,
// section 2.2). It starts a member itself because gzip.Reader keeps the last
// bytes of one back until it has seen the next, which may be long in a pipe.
//
// This unpacker takes two thirds of the standard library's time, if what it
// reads from is a bufio.Reader: it looks into that one's buffer.
type fileGzip struct {
	in     *bufio.Reader
	member gzip.Reader
	inside bool // a member, not before or after one
}

func newFileGzip(in *fileBuffer) *fileGzip {
	return &fileGzip{in: bufio.NewReaderSize(in, fileGzipBuffer)}
}

// Read implements io.Reader. Its errors wrap ErrTruncated and ErrDamaged.
func (g *fileGzip) Read(p []byte) (int, error) {
	for {
		if !g.inside {
			if err := g.open(); err != nil {
				return 0, err
			}
		}
		n, err := g.member.Read(p)
		if err == io.EOF {
			g.inside, err = false, nil
		}
		if n > 0 || err != nil {
			return n, fileGzipError(err)
		}
	}
}

// open reads the header of the next member. The error is io.EOF if there is
// none.
func (g *fileGzip) open() error {
	if err := g.skipPadding(); err != nil {
		return err
	}
	if err := g.member.Reset(g.in); err != nil {
		return fileGzipError(err)
	}
	g.member.Multistream(false)
	g.inside = true
	return nil
}

// skipPadding passes over zeros behind a member, as tapes and some disks leave them: gzip(1)
// ignores them, too, and no member begins with one. The error is io.EOF if there is nothing else.
func (g *fileGzip) skipPadding() error {
	for {
		next, err := g.in.Peek(1)
		if err != nil || next[0] != 0 {
			return err
		}
		if _, err := g.in.Discard(1); err != nil {
			return err
		}
	}
}

// fileGzipError tells damage from a cut and both from the input's own errors.
func fileGzipError(err error) error {
	var corrupt flate.CorruptInputError
	switch {
	case err == io.EOF, err == io.ErrUnexpectedEOF:
		return fmt.Errorf("%w: its gzip compression has no end", ErrTruncated)
	case err == gzip.ErrHeader, err == gzip.ErrChecksum, errors.As(err, &corrupt):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}
