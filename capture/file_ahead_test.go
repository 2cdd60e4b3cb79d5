package capture

import (
	"bytes"
	"errors"
	"io"
	"os"
	"runtime"
	"slices"
	"testing"
	"testing/iotest"
)

func TestAheadReadsTheSame(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 3*fileAheadSize/16)
	broken := errors.New("broken")
	for _, tc := range []struct {
		name   string
		reader io.Reader
		want   []byte
		err    error
	}{
		{"nothing", bytes.NewReader(nil), nil, nil},
		{"less than is read at once", bytes.NewReader(data[:100]), data[:100], nil},
		{"as much as is read at once", bytes.NewReader(data[:fileAheadSize]), data[:fileAheadSize], nil},
		{"more", bytes.NewReader(data), data, nil},
		{"byte by byte", iotest.OneByteReader(bytes.NewReader(data[:fileAheadSize+1])), data[:fileAheadSize+1], nil},
		{"the end with the last bytes", iotest.DataErrReader(bytes.NewReader(data)), data, nil},
		{"an error", io.MultiReader(bytes.NewReader(data), iotest.ErrReader(broken)), data, broken},
		{"a reader without progress", &stalled{data: data[:1000]}, data[:1000], io.ErrNoProgress},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ahead := newFileAhead(tc.reader)
			got, err := io.ReadAll(ahead)
			if !errors.Is(err, tc.err) || !bytes.Equal(got, tc.want) {
				t.Fatalf("%d bytes, %v; want %d, %v", len(got), err, len(tc.want), tc.err)
			}
			if n, again := ahead.Read(make([]byte, 1)); n != 0 || tc.err != nil && !errors.Is(again, tc.err) || tc.err == nil && again != io.EOF {
				t.Fatalf("then %d bytes, %v", n, again)
			}
			if err := ahead.Close(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// stalled returns nothing and no error behind its bytes.
type stalled struct{ data []byte }

func (s *stalled) Read(p []byte) (int, error) {
	n := copy(p, s.data)
	s.data = s.data[n:]
	return n, nil
}

// endless counts what is read of it after it was closed.
type endless struct{ closed, late bool }

func (e *endless) Read(p []byte) (int, error) {
	e.late = e.late || e.closed
	return len(p), nil
}

// Close comes back when nothing is read any more, however much was read ahead and wherever
// who reads was: that no byte is read later is for the race detector to tell.
func TestAheadEndsWithClose(t *testing.T) {
	for _, read := range []int{0, 1, fileAheadSize, 3*fileAheadSize + 1} {
		input := &endless{}
		ahead := newFileAhead(input)
		if _, err := io.CopyN(io.Discard, ahead, int64(read)); err != nil {
			t.Fatal(err)
		}
		if err := ahead.Close(); err != nil {
			t.Fatal(err)
		}
		if input.closed = true; input.late {
			t.Fatal("read after Close")
		}
		if _, err := io.Copy(io.Discard, ahead); !errors.Is(err, os.ErrClosed) {
			t.Fatal(err)
		}
	}
}

// A packed file is read the same in a set, where it is unpacked ahead, as alone, where it
// is not: cut anywhere, with the same error.
func TestPackedInASet(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	for name, packed := range map[string][]byte{"gzip": fileGzipped(t, data), "zstd": fileZstded(t, data)} {
		for _, size := range []int{len(packed), len(packed) - 1, len(packed) / 2, 20, 5} {
			want, wantErr := fileReadAll(bytes.NewReader(packed[:size]))
			var opened setOpened
			got, err := fileDrain(NewFileSet([]SetFile{opened.file(t, "", packed[:size])}, nil))
			if err.Error() != wantErr.Error() || opened.now != 0 {
				t.Errorf("%s of %d bytes: %v, want %v; %d files open", name, size, err, wantErr, opened.now)
			}
			fileSamePackets(t, got, want)
		}
	}
}

// A set that is given up in the middle of a packed file leaves nothing behind that reads.
func TestSetClosedWithinAPackedFile(t *testing.T) {
	var opened setOpened
	set := NewFileSet([]SetFile{opened.file(t, "a", fileGzipped(t, bytes.Join(slices.Repeat(
		[][]byte{fileCapture(t, "npm-http.pcap")}, 100), nil)))}, nil)
	if _, err := set.Next(); err != nil {
		t.Fatal(err)
	}
	ahead := set.open[0].source.ahead
	if err := set.Close(); err != nil || opened.now != 0 {
		t.Fatal(err, opened)
	}
	if _, reading := <-ahead.full; reading {
		t.Fatal("it is read on")
	}
}

// What arrives in a pipe is unpacked as it is wanted: a goroutine that waits for it could
// not be told to end.
func TestStreamsAreNotReadAhead(t *testing.T) {
	packed := fileGzipped(t, fileCapture(t, "npm-http.pcap"))
	for _, stream := range []bool{false, true} {
		var opened setOpened
		file := opened.file(t, "", packed)
		file.Stream = stream
		set := NewFileSet([]SetFile{file}, nil)
		if _, err := set.Next(); err != nil {
			t.Fatal(err)
		}
		if ahead := set.open[0].source.ahead != nil; ahead == stream {
			t.Errorf("stream: %t, read ahead: %t", stream, ahead)
		}
		if err := set.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// What is packed and no capture leaves nothing behind that reads.
func TestNothingReadsAheadOfNoCapture(t *testing.T) {
	before := runtime.NumGoroutine()
	packed := fileGzipped(t, bytes.Repeat([]byte("hello"), fileAheadSize))
	for range 100 {
		var opened setOpened
		if _, err := fileDrain(NewFileSet([]SetFile{opened.file(t, "", packed)}, nil)); !errors.Is(err, ErrNotCapture) {
			t.Fatal(err)
		}
	}
	if more := runtime.NumGoroutine() - before; more > 50 {
		t.Errorf("%d goroutines are left", more)
	}
}
