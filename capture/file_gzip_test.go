package capture

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
)

// fileGzipped returns data as one gzip member.
func fileGzipped(t testing.TB, data []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestGzipMembers(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	want, _ := fileReadAll(bytes.NewReader(data))
	empty := fileGzipped(t, nil)
	one := fileGzipped(t, data)
	var many []byte
	for start := 0; start < len(data); start += 999 {
		many = append(many, fileGzipped(t, data[start:min(start+999, len(data))])...)
	}
	for name, packed := range map[string][]byte{
		"one":           one,
		"many":          many,
		"empty at ends": bytes.Join([][]byte{empty, empty, one, empty}, nil),
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

// A gzip file that is cut gives the packets that can be unpacked. More input
// never gives fewer packets, and only the whole file ends as whole.
func TestGzipCutEverywhere(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	_, ends := fileEnds(t, data)
	data = data[:ends[19]]
	packed := fileGzipped(t, data)
	before := 0
	for cut := 1; cut < len(packed); cut++ {
		n, err := fileCount(packed[:cut])
		if !errors.Is(err, ErrTruncated) || n < before {
			t.Fatalf("cut at %d: %d packets after %d, %v", cut, n, before, err)
		}
		before = n
	}
	if before != 20 { // without the checksum alone
		t.Errorf("%d packets, want 20", before)
	}
}

func TestGzipDamage(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	packed := fileGzipped(t, data)
	with := func(at int, b byte) []byte {
		changed := bytes.Clone(packed)
		changed[at] ^= b
		return changed
	}
	tests := []struct {
		name    string
		data    []byte
		packets int
		want    error
		message string
	}{
		{"checksum", with(len(packed)-5, 1), 114, ErrDamaged, "the capture is damaged: gzip: invalid checksum (after packet 114, at byte 20505 unpacked)"},
		{"garbage after", append(bytes.Clone(packed), "garbage that is no member"...), 114, ErrDamaged, "gzip: invalid header"},
		{"garbage after zeros", append(bytes.Clone(packed), "\x00\x00garbage that is no member"...), 114, ErrDamaged, "gzip: invalid header"},
		{"zeros after", append(bytes.Clone(packed), make([]byte, 1<<15)...), 114, io.EOF, ""},
		{"a member after zeros", slices.Concat(packed, make([]byte, 512), packed), 228, io.EOF, ""},
		{"cut header after", append(bytes.Clone(packed), 0x1f, 0x8b), 114, ErrTruncated, "its gzip compression has no end"},
		{"first block", with(10, 6), 0, ErrDamaged, "flate: corrupt input"},
		{"inner cut", fileGzipped(t, data[:len(data)-1]), 113, ErrTruncated, "the capture is cut off (after packet 113, at byte 20421 unpacked)"},
		{"inner empty", fileGzipped(t, nil), 0, ErrNotCapture, "it is empty"},
		{"inner text", fileGzipped(t, []byte("hello, world\n")), 0, ErrNotCapture, "unpacked, it looks like text"},
		{"twice", fileGzipped(t, packed), 0, ErrNotCapture, "unpacked, it looks like gzip-compressed data; unpack it first: gunzip"},
		{"header only", packed[:10], 0, ErrTruncated, "its gzip compression has no end"},
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
