package cli

import (
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/imds"
)

// Between two looks at the clock, and at signals, no more is read than a slow disk has soon: of
// large packets fewer.
func TestReadStep(t *testing.T) {
	const packets = 2 << 10
	tests := []struct {
		name string
		size int // of packets
		want error
	}{
		{"small packets", 60, io.EOF},
		{"large packets", 64 << 10, nil},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "other.pcap")
			writeOther(t, name, packets, test.size)
			s := &session{options: options{endpoints: imds.DefaultEndpoints(), read: []string{name}}}
			if _, err := s.openFiles(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer s.files.Close()
			s.analyzer = capture.NewAnalyzer(s.options.endpoints, capture.OfflineLimits(), newJoin(nil, nil))
			if err := s.readPackets(s.files); err != test.want {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
}

// writeOther writes a capture of packets that are no IP, of one second. It takes no room, as they are zeros.
func writeOther(t *testing.T, name string, packets, size int) {
	t.Helper()
	file, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	head := []uint32{0xa1b2c3d4, 4<<16 | 2, 0, 0, 256 << 10, uint32(capture.LinkEthernet)}
	record := []uint32{1, 0, uint32(size), uint32(size)}
	at := int64(0)
	write := func(numbers []uint32) {
		data, _ := binary.Append(nil, binary.LittleEndian, numbers)
		if _, err := file.WriteAt(data, at); err != nil {
			t.Fatal(err)
		}
		at += int64(len(data))
	}
	write(head)
	for range packets {
		write(record)
		at += int64(size)
	}
	if err := file.Truncate(at); err != nil {
		t.Fatal(err)
	}
}
