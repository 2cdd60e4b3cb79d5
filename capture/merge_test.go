package capture_test

import (
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture"
)

func TestMergeOrdersByTime(t *testing.T) {
	start := time.Unix(1_800_000_000, 0)
	at := func(ms int) time.Time { return start.Add(time.Duration(ms) * time.Millisecond) }
	var m capture.Merge
	var got []int
	take := func(p capture.Packet) { got = append(got, int(p.Data[0])) }

	if _, ok := m.Due(); ok {
		t.Error("due without a packet")
	}
	data := []byte{0}
	for _, ms := range []int{1, 5, 9, 2, 6} { // two sources, one after the other
		data[0] = byte(ms)
		m.Add(capture.Packet{Data: data, Time: at(ms)})
	}
	if due, ok := m.Due(); !ok || !due.Equal(at(1)) {
		t.Errorf("due %v, %v", due, ok)
	}
	m.Release(at(5), take)
	if !slices.Equal(got, []int{1, 2, 5}) {
		t.Errorf("released %v", got)
	}
	m.Flush(take)
	m.Flush(take)
	if !slices.Equal(got, []int{1, 2, 5, 6, 9}) {
		t.Errorf("flushed %v", got)
	}
}
