package capture

import "io"

// fileBufferSize is what is asked of the input at once: at 256 KiB the cost of
// the system calls no longer shows, and it holds every usual packet.
const fileBufferSize = 256 << 10

// fileMaxEmptyReads is how often in a row the input may return nothing and no
// error before it is given up, as bufio does.
const fileMaxEmptyReads = 100

// fileBuffer hands out the bytes of a reader without copying them. It reads
// only when bytes are wanted that it does not hold, and takes what one Read
// returns, so that what has arrived in a pipe can be used at once.
type fileBuffer struct {
	r          io.Reader
	data       []byte
	start, end int   // data[start:end] is unread
	offset     int64 // of data[start] in the input
	err        error // of r, due when data[start:end] does not suffice
}

func newFileBuffer(r io.Reader) *fileBuffer {
	return &fileBuffer{r: r, data: make([]byte, fileBufferSize)}
}

// peek returns the next n bytes without taking them. They stay valid until the
// next peek of more than is held. The error is io.EOF if the input ends before
// them, io.ErrUnexpectedEOF if it ends within, or else the reader's.
func (b *fileBuffer) peek(n int) ([]byte, error) {
	for b.end-b.start < n {
		if b.err == io.EOF && b.end > b.start {
			return nil, io.ErrUnexpectedEOF
		}
		if b.err != nil {
			return nil, b.err
		}
		b.fill()
	}
	return b.data[b.start : b.start+n : b.start+n], nil
}

// unread returns what is held.
func (b *fileBuffer) unread() []byte { return b.data[b.start:b.end] }

// take removes n bytes that were peeked at.
func (b *fileBuffer) take(n int) {
	b.start += n
	b.offset += int64(n)
}

// skip removes the next n bytes, however many, holding no more of them than
// the buffer has room for. Errors are those of peek.
func (b *fileBuffer) skip(n int64) error {
	for n > 0 {
		if _, err := b.peek(1); err != nil {
			return err
		}
		step := min(n, int64(b.end-b.start))
		b.take(int(step))
		n -= step
	}
	return nil
}

// fill appends what one Read returns. What is unread moves to the front first:
// it is less than a record. A full buffer is doubled, so that it grows with
// the bytes that are there and not with a length that was read.
func (b *fileBuffer) fill() {
	if b.start > 0 {
		b.end = copy(b.data, b.data[b.start:b.end])
		b.start = 0
	}
	if b.end == len(b.data) {
		b.data = append(b.data, make([]byte, len(b.data))...)
	}
	for range fileMaxEmptyReads {
		n, err := b.r.Read(b.data[b.end:])
		b.end += n
		if b.err = err; n > 0 || err != nil {
			return
		}
	}
	b.err = io.ErrNoProgress
}

// Read implements io.Reader: it takes bytes as they come, for an unpacker.
func (b *fileBuffer) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	if _, err := b.peek(1); err != nil {
		return 0, err
	}
	n := copy(p, b.unread())
	b.take(n)
	return n, nil
}
