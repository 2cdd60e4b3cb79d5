package capture

import (
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// fileZstdWindow bounds how far back a zstd frame may point, and with that the
// memory of unpacking it: the window and two blocks of 128 KiB. 128 MiB is what
// zstd(1) unpacks without being told more (--long=27, --ultra -22). At its usual
// levels, 1 to 19, it takes 512 KiB to 8 MiB.
const fileZstdWindow = 128 << 20

// fileIsZstd reports whether head begins a zstd frame or a skippable one, which
// pzstd(1) puts before each of its frames (RFC 8878, sections 3.1.1 and 3.1.2).
func fileIsZstd(head []byte) bool {
	if head[0]&0xf0 == 0x50 {
		return string(head[1:4]) == "\x2a\x4d\x18"
	}
	return string(head[:4]) == "\x28\xb5\x2f\xfd"
}

// fileZstd unpacks the frames of a zstd file one after the other (RFC 8878,
// section 3.1), each block as soon as it is there.
type fileZstd struct {
	in      *fileBuffer
	decoder *zstd.Decoder
	window  int   // of the first frame, in bytes, as far as its header tells
	err     error // of the decoder, due when it has handed out what it holds
}

// newFileZstd makes a decoder that works in the goroutine that reads: a second
// one would read ahead.
func newFileZstd(in *fileBuffer) (*fileZstd, error) {
	decoder, err := zstd.NewReader(in,
		zstd.WithDecoderConcurrency(1),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(fileZstdWindow),
		zstd.WithDecoderMaxMemory(fileZstdWindow), // for frames that are their own window
	)
	return &fileZstd{in: in, decoder: decoder, window: fileZstdWindowOf(in.unread())}, err
}

// fileZstdUsualWindow is that of zstd(1) at level 19, and more than that of the
// levels below.
const fileZstdUsualWindow = 8 << 20

// fileZstdWindowOf returns how much memory a frame wants that begins with head,
// and the usual if that does not tell.
func fileZstdWindowOf(head []byte) int {
	var h zstd.Header
	switch err := h.Decode(head); {
	case err != nil, h.Skippable:
		return fileZstdUsualWindow
	case h.SingleSegment:
		return int(min(h.FrameContentSize, fileZstdWindow))
	}
	return int(min(h.WindowSize, fileZstdWindow))
}

// Read implements io.Reader. Its errors wrap ErrTruncated, ErrDamaged and
// ErrNotCapture. If a frame's checksum is wrong or missing, the decoder says so
// first and still holds the frame's last block, which is handed out all the same.
func (z *fileZstd) Read(p []byte) (int, error) {
	if z.err == nil {
		n, err := z.decoder.Read(p)
		if n > 0 || err == nil {
			return n, nil // an error comes again
		}
		z.err = z.explain(err)
	}
	if n, _ := z.decoder.Read(p); n > 0 {
		return n, nil
	}
	return 0, z.err
}

// explain tells damage from a cut, and both from the input's own errors and
// from what is whole but cannot be unpacked here.
func (z *fileZstd) explain(err error) error {
	cut := errors.Is(err, io.ErrUnexpectedEOF)
	switch own := z.in.err; {
	case err == io.EOF:
		return io.EOF
	case own != nil && own != io.EOF && (cut || errors.Is(err, own)):
		return own // the decoder takes it for a cut where it skips a frame
	case cut:
		return fmt.Errorf("%w: its zstd compression has no end", ErrTruncated)
	case errors.Is(err, zstd.ErrUnknownDictionary):
		return fmt.Errorf("%w: its zstd compression needs a dictionary; unpack it first: zstd -d -D DICTIONARY", ErrNotCapture)
	case errors.Is(err, zstd.ErrDecoderSizeExceeded), errors.Is(err, zstd.ErrWindowSizeExceeded):
		return fmt.Errorf("%w: zstd: %w (if it was packed with --long, unpack it first: zstd -d --long=31)", ErrDamaged, err)
	}
	return fmt.Errorf("%w: zstd: %w", ErrDamaged, err)
}
