package cli

import (
	"io"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/output"
)

// backlog is a Source of a busy machine: a packet each step, of which the first ones
// were captured long ago, and all behind them just now.
type backlog struct {
	old  int
	step time.Duration
	ends bool // behind the old ones
}

func (b *backlog) Next() (*capture.Packet, error) {
	time.Sleep(b.step)
	b.old--
	switch {
	case b.old >= 0:
		return &capture.Packet{Time: time.Now().Add(-time.Hour)}, nil
	case b.ends:
		return nil, io.EOF
	}
	return &capture.Packet{Time: time.Now()}, nil
}

func (b *backlog) Close() error { return nil }

// What was captured before the end is read, however long that takes, within maxDrain.
func TestDrain(t *testing.T) {
	const step, unknown = drainTime / 10, math.MaxUint64
	for _, test := range []struct {
		name   string
		source backlog
		// captured is how many packets the kernel tells of.
		captured uint64
		read     int // of the old packets
		whole    bool
		within   time.Duration
	}{
		{"nothing", backlog{step: time.Hour}, 0, 0, true, 0},
		{"nothing that is known", backlog{step: time.Hour}, unknown, 0, true, drainTime},
		{"all packets", backlog{old: 3, step: step}, 3, 3, true, 3*step + drainStep},
		{"some packets", backlog{old: 3, step: step}, unknown, 3, true, drainTime + step},
		{"more than drainTime takes", backlog{old: 50, step: step}, unknown, 50, true, 51 * step},
		{"the end of the source", backlog{old: 50, step: step, ends: true}, unknown, 50, true, 51 * step},
		{"a pause behind some", backlog{old: 3, step: 2 * drainTime}, unknown, 0, true, drainTime},
		{"more than there is time for", backlog{old: 1000, step: step}, unknown, int(maxDrain/step) - 1, false, maxDrain},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				feed := capture.NewFeed(&test.source)
				feed.Start()
				begun, read := time.Now(), 0
				whole := drain(feed, func() bool { return feed.Packets() == test.captured }, func(b *capture.Batch) bool {
					b.Packets(func(p *capture.Packet) {
						if p.Time.Before(begun) {
							read++
						}
					})
					return b.Ended
				})
				took := time.Since(begun)
				feed.Stop()
				time.Sleep(max(test.source.step, step) * 2) // its reader ends
				if whole != test.whole || read < test.read || took > test.within {
					t.Errorf("%d old packets in %s, whole %v", read, took, whole)
				}
			})
		})
	}
}

// Where the program did not have its turn for so long that the time is over, what has come
// meanwhile is taken in all the same.
func TestDrainAfterStall(t *testing.T) {
	for range 20 { // of which chance would have chosen some rightly
		synctest.Test(t, func(t *testing.T) {
			feed := capture.NewFeed(&backlog{old: 1, step: drainTime / 2, ends: true})
			feed.Start()
			defer feed.Stop()
			stalled, read := false, 0
			whole := drain(feed, func() bool {
				if !stalled {
					stalled = true
					time.Sleep(2 * drainTime)
				}
				return false
			}, func(b *capture.Batch) bool {
				b.Packets(func(*capture.Packet) { read++ })
				return b.Ended
			})
			if !whole || read != 1 {
				t.Fatalf("%d packets are taken in of 1, whole %v", read, whole)
			}
		})
	}
}

// holding is a live source of which the kernel holds packets that were not read.
type holding struct {
	capture.LiveSource
	stats capture.LiveStats
}

func (h holding) Stats() (capture.LiveStats, error) { return h.stats, nil }

// What was not read in time is counted as dropped, and said.
func TestLeaveUnread(t *testing.T) {
	for _, test := range []struct {
		name     string
		cutShort bool
		stats    capture.LiveStats
		networks *networks
		want     uint64
	}{
		{"all was read", false, capture.LiveStats{Received: 10}, nil, 0},
		{"some was not", true, capture.LiveStats{Received: 10, Dropped: 3}, nil, 5},
		{"the kernel does not tell", true, capture.LiveStats{}, nil, 1},
		{"what was read is another namespace's", true, capture.LiveStats{Received: 10, Dropped: 3}, &networks{
			gone:    capture.LiveStats{Received: 1},
			sources: map[capture.LiveSource]capture.LiveStats{holding{stats: capture.LiveStats{Received: 5, Dropped: 4}}: {}},
		}, 7},
	} {
		var said strings.Builder
		s := &session{cutShort: test.cutShort, networks: test.networks, live: []capture.LiveSource{holding{stats: test.stats}}, streams: Streams{Err: &said}}
		s.analyzer = capture.NewAnalyzer(nil, capture.LiveLimits(), nil)
		s.analyzer.Packet(&capture.Packet{})
		s.analyzer.Packet(&capture.Packet{})
		s.leaveUnread()
		if s.unread != test.want || strings.Contains(said.String(), "were not read") != test.cutShort {
			t.Errorf("%s: %d packets, and it says %q", test.name, s.unread, said.String())
		}
		if err := s.exitStatus(output.CaptureStats{}); (err != nil) != test.cutShort {
			t.Errorf("%s: it ends with %v", test.name, err)
		}
	}
}
