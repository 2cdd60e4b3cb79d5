package capture

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/klauspost/compress/zstd"
)

func fileZstdWriter(t testing.TB, w io.Writer) *zstd.Encoder {
	t.Helper()
	z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// fileZstded returns data as one zstd frame with a checksum.
func fileZstded(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := fileZstdWriter(t, &b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fileSkippable is a zstd frame without content (RFC 8878, section 3.1.2).
func fileSkippable(kind byte, n int) []byte {
	b := []byte{0x50 | kind, 0x2a, 0x4d, 0x18}
	return append(binary.LittleEndian.AppendUint32(b, uint32(n)), make([]byte, n)...)
}

// What zstd(1) and pzstd(1) make of one capture, in their own ways.
func TestZstdOfOtherWriters(t *testing.T) {
	want, _ := fileReadAll(bytes.NewReader(fileCapture(t, "npm-http.pcap")))
	names, err := filepath.Glob("testdata/zstd/*.zst")
	if err != nil || len(names) != 3 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			source, err := openFile(name, nil)
			if err != nil {
				t.Fatal(err)
			}
			got, err := fileDrain(source)
			if err != io.EOF {
				t.Fatal(err)
			}
			fileSamePackets(t, got, want)
			if err := source.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestZstdFrames(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	want, _ := fileReadAll(bytes.NewReader(data))
	empty, one := fileZstded(t, nil), fileZstded(t, data)
	var many, skippable []byte
	for start := 0; start < len(data); start += 999 {
		many = append(many, fileZstded(t, data[start:min(start+999, len(data))])...)
	}
	for kind := range 16 {
		skippable = append(skippable, fileSkippable(byte(kind), kind*1000)...)
	}
	large := fileSkippable(7, 3*fileBufferSize)
	for name, packed := range map[string][]byte{
		"one":               one,
		"many":              many,
		"empty at ends":     bytes.Join([][]byte{empty, empty, one, empty}, nil),
		"skippable at ends": bytes.Join([][]byte{skippable, one, skippable}, nil),
		"large skippable":   append(large, one...),
	} {
		t.Run(name, func(t *testing.T) {
			got, err := fileReadAll(bytes.NewReader(packed))
			if err != io.EOF {
				t.Fatal(err)
			}
			fileSamePackets(t, got, want)
		})
	}
}

// A zstd file that is cut gives the packets that can be unpacked. More input
// never gives fewer packets, and only a whole frame ends as whole.
func TestZstdCutEverywhere(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	_, ends := fileEnds(t, data)
	first, second := fileZstded(t, data[:ends[9]]), fileZstded(t, data[ends[9]:ends[19]])
	packed := append(bytes.Clone(first), second...)
	before := 0
	for cut := 1; cut <= len(packed); cut++ {
		want := ErrTruncated
		if cut == len(first) || cut == len(packed) {
			want = io.EOF
		}
		n, err := fileCount(packed[:cut])
		if !errors.Is(err, want) || n < before || cut >= len(first) && n < 10 {
			t.Fatalf("cut at %d: %d packets after %d, %v", cut, n, before, err)
		}
		if before = n; cut == len(packed)-1 && n != 20 {
			t.Errorf("%d packets, want 20, without the checksum alone", n)
		}
	}
}

func TestZstdDamage(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	packed := fileZstded(t, data)
	with := func(at int, b byte) []byte {
		changed := bytes.Clone(packed)
		changed[at] ^= b
		return changed
	}
	// A frame's header: its magic, then what stands in it, the window and the id
	// of a dictionary (RFC 8878, section 3.1.1.1).
	header := func(b ...byte) []byte { return append([]byte{0x28, 0xb5, 0x2f, 0xfd}, b...) }
	const noEnd = "the capture is cut off: its zstd compression has no end"
	tests := []struct {
		name    string
		data    []byte
		packets int
		want    error
		message string
	}{
		{"checksum", with(len(packed)-1, 1), 114, ErrDamaged, "the capture is damaged: zstd: CRC check failed (after packet 114, at byte 20505 unpacked)"},
		{"garbage after", append(bytes.Clone(packed), "garbage that is no frame"...), 114, ErrDamaged, "zstd: invalid input: magic number mismatch"},
		{"gzip after", append(bytes.Clone(packed), fileGzipped(t, data)...), 114, ErrDamaged, "magic number mismatch"},
		{"cut magic after", append(bytes.Clone(packed), 0x28, 0xb5), 114, ErrTruncated, noEnd},
		{"cut skippable after", append(bytes.Clone(packed), fileSkippable(1, 9)[:12]...), 114, ErrTruncated, noEnd},
		{"reserved block", append(header(0, 0), 6, 0, 0), 0, ErrDamaged, "zstd: invalid input: reserved block type"},
		{"window of 128 MiB", header(0, 17<<3), 0, ErrTruncated, noEnd},
		{"window of 144 MiB", header(0, 17<<3|1), 0, ErrDamaged, "(if it was packed with --long, unpack it first: zstd -d --long=31)"},
		{"content of 4 GiB as the window", header(0xa0, 0xff, 0xff, 0xff, 0xff), 0, ErrDamaged, "unpack it first: zstd -d --long=31)"},
		{"dictionary", header(1, 0, 7), 0, ErrNotCapture, "its zstd compression needs a dictionary; unpack it first: zstd -d -D DICTIONARY"},
		{"inner cut", fileZstded(t, data[:len(data)-1]), 113, ErrTruncated, "the capture is cut off (after packet 113, at byte 20421 unpacked)"},
		{"inner empty", fileZstded(t, nil), 0, ErrNotCapture, "it is empty"},
		{"skippable only", fileSkippable(0, 4), 0, ErrNotCapture, "it is empty"},
		{"inner text", fileZstded(t, []byte("hello, world\n")), 0, ErrNotCapture, "unpacked, it looks like text"},
		{"twice", fileZstded(t, packed), 0, ErrNotCapture, "unpacked, it looks like zstd-compressed data; unpack it first: zstd -d"},
		{"gzip in zstd", fileZstded(t, fileGzipped(t, data)), 0, ErrNotCapture, "unpacked, it looks like gzip-compressed data; unpack it first: gunzip"},
		{"zstd in gzip", fileGzipped(t, packed), 0, ErrNotCapture, "unpacked, it looks like zstd-compressed data; unpack it first: zstd -d"},
		{"header only", packed[:6], 0, ErrTruncated, noEnd},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			packets, err := fileReadAll(bytes.NewReader(test.data))
			if len(packets) != test.packets || !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.message) {
				t.Errorf("%d packets, %v", len(packets), err)
			}
		})
	}
}

// An input that fails within a skippable frame has not been cut.
func TestZstdPassesErrorsOfSkippedFrames(t *testing.T) {
	broken := errors.New("input/output error")
	for _, n := range []int{8, 12} {
		skipped := bytes.NewReader(fileSkippable(0, 9)[:n])
		if _, err := newReader(io.MultiReader(skipped, iotest.ErrReader(broken)), nil); err != broken {
			t.Errorf("after %d bytes: %v", n, err)
		}
	}
}

// Unpacking takes memory for the window that a frame claims, and not for its
// content.
func TestZstdMemory(t *testing.T) {
	data := fileCapture(t, "cloud-init.pcap")
	var packed bytes.Buffer
	z := fileZstdWriter(t, &packed)
	const times = 150 // 34 MB
	z.Write(data)
	for range times - 1 {
		z.Write(data[pcapHeaderLen:])
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if n, err := fileCount(packed.Bytes()); n != times*1800 || err != io.EOF {
		t.Fatal(n, err)
	}
	runtime.ReadMemStats(&after)
	const most = 8<<20 + 4<<20 // this encoder's window, and what is fixed
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > most {
		t.Errorf("%d bytes were allocated", allocated)
	}
}

// FuzzZstd: whatever frames come, unpacking them ends with one of the reader's
// errors, and gives the same however the bytes come.
func FuzzZstd(f *testing.F) {
	head := fileCapture(f, "npm-http.pcap")[:500]
	f.Add(fileZstded(f, head))
	f.Add(append(fileSkippable(3, 5), fileZstded(f, head)...))
	names, err := filepath.Glob("testdata/zstd/*.zst")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range names {
		packed, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(packed[:1000])
	}
	f.Fuzz(func(t *testing.T, packed []byte) {
		if len(packed) < 4 || len(packed) > 1<<12 || !fileIsZstd(packed) {
			return
		}
		want, wantErr := fileUnzstd(t, bytes.NewReader(packed))
		got, err := fileUnzstd(t, iotest.OneByteReader(bytes.NewReader(packed)))
		if !bytes.Equal(got, want) || err.Error() != wantErr.Error() {
			t.Fatalf("%d bytes and %v, and by the byte %d bytes and %v", len(want), wantErr, len(got), err)
		}
	})
}

// fileUnzstd returns the beginning of what is unpacked, and the error at its end.
func fileUnzstd(t *testing.T, r io.Reader) ([]byte, error) {
	z, err := newFileZstd(newFileBuffer(r))
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	_, err = io.CopyN(&b, z, 1<<20)
	switch {
	case err == nil:
		err = errors.New("and more")
	case err == io.EOF, errors.Is(err, ErrTruncated), errors.Is(err, ErrDamaged), errors.Is(err, ErrNotCapture):
	default:
		t.Fatal(err)
	}
	return b.Bytes(), err
}
