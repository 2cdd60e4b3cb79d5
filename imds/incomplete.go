package imds

import "slices"

// Incomplete is the reason why the capture does not hold a whole request head.
type Incomplete uint8

// The reasons. The zero value is Whole: there is none.
const (
	Whole Incomplete = iota
	Snaplen
	LostSegment
	CaptureStart
	CaptureEnd
	HeadersTooLarge
	ConnectionClosed
	// OtherReason is one that a log tells and this program does not know.
	OtherReason
)

// reasons are their words in the log entry.
var reasons = [...]string{
	Whole:            "",
	Snaplen:          "snaplen",
	LostSegment:      "lost_segment",
	CaptureStart:     "capture_start",
	CaptureEnd:       "capture_end",
	HeadersTooLarge:  "headers_too_large",
	ConnectionClosed: "connection_closed",
}

// ParseIncomplete returns the reason that the log entry calls so.
func ParseIncomplete(text string) Incomplete {
	if i := slices.Index(reasons[:], text); i >= 0 {
		return Incomplete(i)
	}
	return OtherReason
}

// String returns the reason as the log entry writes it, empty if there is none.
func (i Incomplete) String() string {
	if int(i) < len(reasons) {
		return reasons[i]
	}
	return "other"
}
