package capture

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
)

// Whatever is in a file comes out of it, unpacked once.
func TestUnpack(t *testing.T) {
	text := strings.Repeat("{\"a\":1}\n", 1<<15)
	packed := map[string][]byte{"plain": []byte(text), "gzip": fileGzipped(t, []byte(text)), "zstd": fileZstded(t, []byte(text))}
	for how, data := range packed {
		for size, through := range map[string]func(io.Reader) io.Reader{"at once": func(r io.Reader) io.Reader { return r }, "by bytes": iotest.OneByteReader} {
			u, err := Unpack(through(bytes.NewReader(data)))
			if err != nil {
				t.Fatal(err)
			}
			if head, err := u.Head(5); !strings.HasPrefix(string(head), text[:5]) || err != nil {
				t.Errorf("%s, %s: the head is %q, %v", how, size, head, err)
			}
			if got, err := io.ReadAll(u); string(got) != text || err != nil {
				t.Errorf("%s, %s: %d bytes of %d, %v", how, size, len(got), len(text), err)
			}
		}
	}
}

// What is short, empty or broken is told by its bytes and by the error of reading.
func TestUnpackShort(t *testing.T) {
	broken := errors.New("broken")
	whole := fileGzipped(t, []byte("text"))
	tests := map[string]struct {
		in   io.Reader
		head string
		err  error
	}{
		"empty":        {strings.NewReader(""), "", nil},
		"three bytes":  {strings.NewReader("{}\n"), "{}\n", nil},
		"empty packed": {bytes.NewReader(fileGzipped(t, nil)), "", nil},
		"cut":          {bytes.NewReader(whole[:len(whole)-3]), "text", ErrTruncated},
		"damaged":      {bytes.NewReader(append(bytes.Clone(whole[:len(whole)-8]), make([]byte, 8)...)), "text", ErrDamaged},
		"no reader":    {iotest.ErrReader(broken), "", broken},
	}
	for name, tt := range tests {
		u, err := Unpack(tt.in)
		if err != nil {
			t.Fatal(err)
		}
		head, err := u.Head(100)
		if !errors.Is(err, tt.err) {
			t.Errorf("%s: the error at its head is %v", name, err)
		}
		got, err := io.ReadAll(u)
		if string(head) != tt.head || string(got) != tt.head || !errors.Is(err, tt.err) {
			t.Errorf("%s: head %q, content %q, error %v", name, head, got, err)
		}
	}
}

func TestIsCapture(t *testing.T) {
	for head, want := range map[string]bool{"": false, "\x0a\x0d\x0d": false, "\x0a\x0d\x0d\x0a": true, "\xd4\xc3\xb2\xa1": true, "{\"@t": false, "\x1f\x8b\x08\x00": false} {
		if IsCapture([]byte(head)) != want {
			t.Errorf("%q: want %v", head, want)
		}
	}
}
