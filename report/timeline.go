package report

import "time"

// Timeline is when the calls were made, for a plot.
type Timeline struct {
	// BucketSeconds is the width of all buckets, a power of two times five minutes.
	BucketSeconds int64 `json:"bucket_seconds"`
	// Buckets are those in which there were calls, in order of time.
	Buckets []Bucket `json:"buckets"`
	// Boots of hosts, and Starts and Stops of captures, in order of time: the latest.
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
