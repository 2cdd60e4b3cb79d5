package capture

import "io"

// Unpacked is the content of a file that may be packed, of whatever kind it is.
type Unpacked struct{ buf *fileBuffer }

// Unpack returns what r holds, unpacked if it is packed with gzip or zstd. It reads
// what it needs to see that. Errors of Read are those of r, or wrap ErrTruncated,
// ErrDamaged or, if it cannot be unpacked, ErrNotCapture.
func Unpack(r io.Reader) (*Unpacked, error) {
	s := &fileSource{buf: newFileBuffer(r)}
	if head, err := s.buf.peek(fileHead); err == nil { // else it is too short, or Read meets the error again
		if err := s.unpack(head); err != nil {
			return nil, err
		}
	}
	return &Unpacked{s.buf}, nil
}

// Head returns the first n bytes of what was not read yet, or as many as there are, and
// leaves them there. The error is why there are no more, but that it ends; Read comes
// to it behind them.
func (u *Unpacked) Head(n int) ([]byte, error) {
	head, err := u.buf.peek(n)
	switch err {
	case nil:
		return head, nil
	case io.EOF, io.ErrUnexpectedEOF:
		err = nil
	}
	return u.buf.unread(), err
}

// Read implements io.Reader.
func (u *Unpacked) Read(p []byte) (int, error) { return u.buf.Read(p) }

// IsCapture reports whether what begins with head is a capture that can be read.
func IsCapture(head []byte) bool {
	return len(head) >= fileHead && (pcapIsMagic(head) || pcapngIsMagic(head))
}

// IsPacked reports whether what begins with head is packed as Unpack unpacks it.
func IsPacked(head []byte) bool {
	return len(head) >= fileHead && (fileIsGzip(head) || fileIsZstd(head))
}

// LooksLike says what a file that begins with head seems to be, if it is none that can
// be read: words that go on from "it".
func LooksLike(head []byte) string { return fileLooksLike(head) }

// IsText reports whether what begins with head may be text.
func IsText(head []byte) bool { return fileIsText(head) }
