package attribution

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"
)

// recordOf builds a record of a ring.
func recordOf(kind uint32, body []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, kind)
	b = binary.NativeEndian.AppendUint16(b, 0)
	b = binary.NativeEndian.AppendUint16(b, uint16(perfHeaderLen+len(body)))
	return append(b, body...)
}

func sampleOf(pid, tid int, at int64, raw []byte) []byte {
	b := binary.NativeEndian.AppendUint32(nil, uint32(pid))
	b = binary.NativeEndian.AppendUint32(b, uint32(tid))
	b = binary.NativeEndian.AppendUint64(b, uint64(at))
	b = binary.NativeEndian.AppendUint64(b, 1) // the processor
	b = binary.NativeEndian.AppendUint32(b, uint32(len(raw)))
	return append(b, raw...)
}

func lossOf(n uint64) []byte {
	return binary.NativeEndian.AppendUint64(make([]byte, 8), n)
}

func TestPerfSample(t *testing.T) {
	ring := append(recordOf(perfRecordSample, sampleOf(7, 8, 99, []byte("raw"))), recordOf(perfRecordLost, lossOf(5))...)
	kind, body, rest, err := nextRecord(ring)
	if err != nil || kind != perfRecordSample {
		t.Fatalf("%d, %v", kind, err)
	}
	s, err := parsePerfSample(body)
	if err != nil || s.pid != 7 || s.tid != 8 || s.at != 99 || string(s.raw) != "raw" {
		t.Errorf("%+v, %v", s, err)
	}
	kind, body, rest, err = nextRecord(rest)
	if err != nil || kind != perfRecordLost || len(rest) != 0 {
		t.Fatalf("%d, %v, %d bytes follow", kind, err, len(rest))
	}
	if n, err := parsePerfLost(body); n != 5 || err != nil {
		t.Errorf("%d lost, %v", n, err)
	}
}

func TestPerfRecordBroken(t *testing.T) {
	sample := sampleOf(7, 8, 99, []byte("raw"))
	for name, b := range map[string][]byte{
		"empty":      nil,
		"no header":  make([]byte, perfHeaderLen-1),
		"size 0":     make([]byte, perfHeaderLen),
		"cut":        recordOf(perfRecordSample, sample)[:20],
		"short size": {9, 0, 0, 0, 0, 0, 7, 0},
	} {
		if _, _, _, err := nextRecord(b); !errors.Is(err, errPerfRecord) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for n := range sample {
		if _, err := parsePerfSample(sample[:n]); !errors.Is(err, errPerfRecord) {
			t.Errorf("sample of %d bytes: %v", n, err)
		}
	}
	if _, err := parsePerfLost(make([]byte, 15)); !errors.Is(err, errPerfRecord) {
		t.Errorf("loss of 15 bytes: %v", err)
	}
}

func TestUnread(t *testing.T) {
	data := []byte("01234567")
	for _, test := range []struct {
		tail, head uint64
		want       string
	}{
		{0, 0, ""},
		{0, 3, "012"},
		{6, 9, "670"},
		{8, 16, "01234567"},
		{12, 20, "45670123"},
		{1<<64 - 2, 1, "670"}, // the counts wrap
		{0, 9, ""},            // cannot be
		{3, 2, ""},            // cannot be
	} {
		if got := unread(nil, data, test.tail, test.head); string(got) != test.want {
			t.Errorf("%d to %d: %q, want %q", test.tail, test.head, got, test.want)
		}
	}
	if got := unread([]byte("a"), nil, 0, 1); string(got) != "a" {
		t.Errorf("a ring of no size: %q", got)
	}
}

func FuzzPerfRecord(f *testing.F) {
	f.Add(recordOf(perfRecordSample, sampleOf(7, 8, 99, []byte("raw data"))))
	f.Add(append(recordOf(perfRecordLost, lossOf(5)), recordOf(perfRecordSample, nil)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for rest := b; len(rest) > 0; {
			_, body, after, err := nextRecord(rest)
			if err != nil {
				return
			}
			if len(after) >= len(rest) {
				t.Fatal("no progress")
			}
			rest = after
			if s, err := parsePerfSample(body); err == nil && !bytes.Contains(body, s.raw) {
				t.Error("raw data from elsewhere")
			}
			parsePerfLost(body)
		}
	})
}

func FuzzUnread(f *testing.F) {
	f.Add([]byte("01234567"), uint64(6), uint64(9))
	f.Fuzz(func(t *testing.T, data []byte, tail, head uint64) {
		if got := unread(nil, data, tail, head); len(got) > len(data) {
			t.Errorf("%d bytes of %d", len(got), len(data))
		}
	})
}
