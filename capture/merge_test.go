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
	take := func(p *capture.Packet) { got = append(got, int(p.Data[0])) }

	if _, ok := m.Due(); ok {
		t.Error("due without a packet")
	}
	data := []byte{0}
	for _, ms := range []int{1, 5, 9, 2, 6} { // two sources, one after the other
		data[0] = byte(ms)
		m.Add(&capture.Packet{Data: data, Time: at(ms)})
	}
	if due, ok := m.Due(); !ok || !due.Equal(at(1)) {
		t.Errorf("due %v, %v", due, ok)
	}
	m.Release(at(5), at(9), take)
	if !slices.Equal(got, []int{1, 2, 5}) {
		t.Errorf("released %v", got)
	}
	m.Flush(take)
	m.Flush(take)
	if !slices.Equal(got, []int{1, 2, 5, 6, 9}) {
		t.Errorf("flushed %v", got)
	}
}

// What came before the clock was set back does not wait until it is that late again, and
// goes before what came since.
func TestMergeWhenClockIsSetBack(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	for _, back := range []time.Duration{time.Second, 2 * time.Hour, 24 * time.Hour, now.Sub(time.Unix(0, 0))} {
		var m capture.Merge
		var got []int
		take := func(p *capture.Packet) { got = append(got, int(p.Data[0])) }
		m.Add(&capture.Packet{Data: []byte{1}, Time: now})
		m.Add(&capture.Packet{Data: []byte{3}, Time: now.Add(-back)})
		m.Add(&capture.Packet{Data: []byte{2}, Time: now.Add(time.Millisecond)})
		m.Release(now.Add(-back), now.Add(-back), take)
		if !slices.Equal(got, []int{1, 2, 3}) {
			t.Errorf("set back by %v: released %v", back, got)
		}
		if _, waits := m.Due(); waits {
			t.Error("something waits")
		}
	}
}
