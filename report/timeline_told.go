package report

import (
	"slices"
	"time"
)

// Timeline is when the calls were made, for a plot.
type Timeline struct {
	// BucketSeconds is the width of all buckets, a power of two times five minutes.
	BucketSeconds int64 `json:"bucket_seconds"`
	// Buckets are those in which there were calls, in order of time. From the first
	// to the last there is room for at most 128.
	Buckets []Bucket `json:"buckets"`
	// Boots of hosts, and Starts and Stops of captures, in order of time: the latest
	// 128, of several within one bucket the first.
	Boots  []time.Time `json:"boots"`
	Starts []time.Time `json:"starts"`
	Stops  []time.Time `json:"stops"`
	// Untimed are calls that are in no bucket, because their times are not known.
	Untimed uint64 `json:"untimed,omitempty"`
}

// Bucket are the calls in a part of a Timeline, which begins at Start.
type Bucket struct {
	Start time.Time `json:"start"`
	Calls
}

// told is nil if no call has a time, and nothing is marked. All are the calls, also
// those without.
func (t *timeline) told(all calls, m marks) *Timeline {
	told := &Timeline{
		BucketSeconds: int64(t.width() / time.Second),
		Buckets:       []Bucket{},
		Boots:         marked(m.boots, t.width()),
		Starts:        marked(m.starts, t.width()),
		Stops:         marked(m.stops, t.width()),
		Untimed:       all.all(),
	}
	if len(t.Buckets)+len(told.Boots)+len(told.Starts)+len(told.Stops) == 0 {
		return nil
	}
	for _, b := range t.Buckets {
		start := time.Unix(int64(b.Slot)*told.BucketSeconds, 0).UTC()
		told.Buckets = append(told.Buckets, Bucket{start, b.calls})
		told.Untimed = less(told.Untimed, b.all())
	}
	return told
}

// maxMarks bounds the marks of a kind: one for each bucket.
const maxMarks = maxBuckets

// marked is the latest of some times, in order: of several within one bucket the
// first, as a plot has no room for more.
func marked(times []time.Time, width time.Duration) []time.Time {
	times = slices.DeleteFunc(slices.Clone(times), time.Time.IsZero)
	slices.SortFunc(times, time.Time.Compare)
	seconds := int64(width / time.Second)
	times = slices.CompactFunc(times, func(a, b time.Time) bool { return a.Unix()/seconds == b.Unix()/seconds })
	return append([]time.Time{}, times[max(0, len(times)-maxMarks):]...)
}
