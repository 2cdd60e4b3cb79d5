package capture

import (
	"bytes"
	"io"
	"math/rand/v2"
	"testing"
	"testing/iotest"
)

// What is taken, skipped and read is the input, in order, however it comes and
// across the buffer's end.
func TestFileBuffer(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	data := make([]byte, 3*fileBufferSize+17)
	for i := range data {
		data[i] = byte(random.Uint32())
	}
	for name, r := range map[string]io.Reader{
		"whole": bytes.NewReader(data),
		"half":  iotest.HalfReader(bytes.NewReader(data)),
	} {
		t.Run(name, func(t *testing.T) {
			b := newFileBuffer(r)
			for at := 0; at < len(data); {
				if b.offset != int64(at) {
					t.Fatalf("offset %d at %d", b.offset, at)
				}
				n := min(random.IntN(fileBufferSize/5)+1, len(data)-at)
				fileCheckStep(t, b, data[at:at+n], random.IntN(3))
				at += n
			}
			if _, err := b.peek(1); err != io.EOF {
				t.Error(err)
			}
		})
	}
}

// fileCheckStep takes the bytes of want from b in one of three ways.
func fileCheckStep(t *testing.T, b *fileBuffer, want []byte, way int) {
	t.Helper()
	got := want
	var err error
	switch way {
	case 0:
		got, err = b.peek(len(want))
		b.take(len(got))
	case 1:
		err = b.skip(int64(len(want)))
	case 2:
		got = make([]byte, len(want))
		_, err = io.ReadFull(b, got)
	}
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("way %d: %d bytes, %v", way, len(got), err)
	}
}

// A length that was read makes the buffer grow only as bytes come in.
func TestFileBufferGrowsWithTheInput(t *testing.T) {
	for _, test := range []struct{ have, want, size int }{
		{100, fileRecordLimit, fileBufferSize},
		{fileBufferSize, fileRecordLimit, 2 * fileBufferSize},
		{5 * fileBufferSize, 5 * fileBufferSize, 8 * fileBufferSize},
	} {
		b := newFileBuffer(bytes.NewReader(make([]byte, test.have)))
		_, err := b.peek(test.want)
		if (err == nil) != (test.have >= test.want) || len(b.data) != test.size {
			t.Errorf("%d of %d bytes: buffer %d, %v", test.have, test.want, len(b.data), err)
		}
	}
}

func TestFileBufferErrors(t *testing.T) {
	b := newFileBuffer(bytes.NewReader([]byte("abc")))
	if n, err := b.Read(nil); n != 0 || err != nil {
		t.Error(n, err)
	}
	if _, err := b.peek(4); err != io.ErrUnexpectedEOF {
		t.Error(err)
	}
	if got := string(b.unread()); got != "abc" {
		t.Error(got)
	}
	one := make([]byte, 1)
	if n, err := b.Read(one); n != 1 || one[0] != 'a' || err != nil {
		t.Error(n, one, err)
	}
	if err := b.skip(3); err != io.EOF {
		t.Error(err)
	}
	if _, err := b.Read(make([]byte, 1)); err != io.EOF {
		t.Error(err)
	}
}
