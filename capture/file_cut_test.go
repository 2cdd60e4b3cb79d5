package capture

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// fileEnds returns the offsets at which a whole record of an unpacked capture
// ends, and of these the ones that end a packet. The first is the header's.
func fileEnds(t *testing.T, data []byte) (records map[int]bool, packets []int) {
	t.Helper()
	source, err := newReader(bytes.NewReader(data), nil)
	if err != nil {
		t.Fatal(err)
	}
	s := source.(*fileSource)
	records = map[int]bool{int(s.buf.offset): true}
	for {
		before := s.buf.offset
		if _, err = s.Next(); err != nil {
			break
		}
		for at := before; pcapngIsMagic(data) && at < s.buf.offset; { // blocks before the packet
			at += int64(data[at+4]) | int64(data[at+5])<<8
			records[int(at)] = true
		}
		records[int(s.buf.offset)] = true
		packets = append(packets, int(s.buf.offset))
	}
	if err != io.EOF {
		t.Fatal(err)
	}
	records[len(data)] = true
	return records, packets
}

// A capture that is cut anywhere gives all packets before the cut, and says
// that it is cut unless that is between two records.
func TestCutEverywhere(t *testing.T) {
	for _, name := range []string{"npm-http.pcap", "go-tools.pcapng"} {
		t.Run(name, func(t *testing.T) {
			data := fileCapture(t, name)
			_, ends := fileEnds(t, data)
			data = data[:ends[30]]
			records, ends := fileEnds(t, data)
			whole := 0
			for cut := range data {
				if whole < len(ends) && ends[whole] <= cut {
					whole++
				}
				want := ErrTruncated
				switch {
				case cut == 0:
					want = ErrNotCapture
				case records[cut]:
					want = io.EOF
				}
				n, err := fileCount(data[:cut])
				if n != whole || !errors.Is(err, want) {
					t.Fatalf("cut at %d: %d packets, %v; want %d, %v", cut, n, err, whole, want)
				}
			}
		})
	}
}

// fileCount returns the number of packets in data and the error at the end.
func fileCount(data []byte) (n int, err error) {
	source, err := newReader(bytes.NewReader(data), nil)
	for err == nil {
		if _, err = source.Next(); err == nil {
			n++
		}
	}
	return n, err
}

// With any bit wrong the reader still comes to an end, with one of its errors
// and without more memory than the input has bytes for.
func TestFlippedBits(t *testing.T) {
	for _, name := range []string{"npm-http.pcap", "go-tools.pcapng"} {
		t.Run(name, func(t *testing.T) {
			data := fileCapture(t, name)[:500]
			for bit := range len(data) * 8 {
				data[bit/8] ^= 1 << (bit % 8)
				fileCheckEnd(t, data)
				data[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
	for name, pack := range map[string]func(testing.TB, []byte) []byte{"gzip": fileGzipped, "zstd": fileZstded} {
		t.Run(name, func(t *testing.T) {
			data := pack(t, fileCapture(t, "npm-http.pcap")[:500])
			for bit := range len(data) * 8 {
				data[bit/8] ^= 1 << (bit % 8)
				fileCheckEnd(t, data)
				data[bit/8] ^= 1 << (bit % 8)
			}
		})
	}
}

func fileCheckPacket(t testing.TB, p *Packet) {
	t.Helper()
	if len(p.Data) > p.Length {
		t.Fatalf("%d bytes of %d", len(p.Data), p.Length)
	}
	if y := p.Time.Year(); y < 1 || y > 9999 {
		t.Fatalf("year %d", y)
	}
}

// fileCheckEnd reads data to the end and checks what holds for any input.
func fileCheckEnd(t testing.TB, data []byte) {
	t.Helper()
	source, err := newReader(bytes.NewReader(data), nil)
	unpacked := int64(0)
	for err == nil {
		var p *Packet
		if p, err = source.Next(); err == nil {
			fileCheckPacket(t, p)
		}
		s := source.(*fileSource)
		unpacked = s.buf.offset + int64(len(s.buf.unread()))
		if size := int64(len(s.buf.data)); size > max(fileBufferSize, 2*unpacked) || size > 4*fileRecordLimit {
			t.Fatalf("buffer of %d bytes after %d", size, unpacked)
		}
	}
	if err != io.EOF && !errors.Is(err, ErrNotCapture) && !errors.Is(err, ErrTruncated) && !errors.Is(err, ErrDamaged) {
		t.Fatalf("ended with %v", err)
	}
}
