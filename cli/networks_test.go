package cli

import (
	"errors"
	"testing"

	"imds-analyzer/capture"
)

// counting is a source that has dropped packets, and can be unable to say so.
type counting struct {
	capture.LiveSource
	dropped uint64
	mute    bool
}

func (c *counting) Stats() (capture.LiveStats, error) {
	if c.mute {
		return capture.LiveStats{}, errors.New("no counts")
	}
	return capture.LiveStats{Dropped: c.dropped}, nil
}

func (*counting) Close() error { return nil }

// The number of dropped packets never goes down: not when a source cannot be asked, nor
// while its namespace is being left, nor after it.
func TestDroppedNeverGoesDown(t *testing.T) {
	s := &counting{dropped: 3}
	n := &networks{open: map[string]*captured{}, sources: map[capture.LiveSource]capture.LiveStats{s: {}}}
	want := func(when string) {
		t.Helper()
		if got, _ := n.stats(); got.Dropped != 3 {
			t.Errorf("%s: %+v", when, got)
		}
	}
	want("open")
	s.mute = true
	want("mute")
	n.drop(s)
	want("closed")
	if len(n.sources) > 0 {
		t.Error("it is kept")
	}
}
