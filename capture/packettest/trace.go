package packettest

import (
	"slices"
	"time"

	"imds-analyzer/capture"
)

// Trace is a list of segments in the order in which they were captured. Its
// methods return a changed copy, in which times still rise.
type Trace []Segment

// Packets returns the segments as captured.
func (t Trace) Packets() []capture.Packet {
	packets := make([]capture.Packet, 0, len(t))
	for _, s := range t {
		packets = append(packets, s.Packet())
	}
	return packets
}

// Data returns where the segments with payload from one side are.
func (t Trace) Data(fromClient bool) []int {
	var at []int
	for i, s := range t {
		if s.FromClient == fromClient && len(s.Payload) > 0 {
			at = append(at, i)
		}
	}
	return at
}

// Only returns one side's segments, as a capture of one direction has them.
func (t Trace) Only(fromClient bool) Trace {
	return slices.DeleteFunc(slices.Clone(t), func(s Segment) bool { return s.FromClient != fromClient })
}

// Drop leaves out the segments at the places.
func (t Trace) Drop(at ...int) Trace {
	var kept Trace
	for i, s := range t {
		if !slices.Contains(at, i) {
			kept = append(kept, s)
		}
	}
	return kept
}

// Permute puts the segment from at[order[i]] to at[i].
func (t Trace) Permute(at, order []int) Trace {
	moved := slices.Clone(t)
	for i, from := range order {
		moved[at[i]] = t[at[from]]
	}
	return moved.inSlots(t)
}

// Move takes the segment at from out and puts it back in at to.
func (t Trace) Move(from, to int) Trace {
	moved := slices.Delete(slices.Clone(t), from, from+1)
	return slices.Insert(moved, to, t[from]).inSlots(t)
}

// inSlots gives the segments the times of t's, one after the other.
func (t Trace) inSlots(slots Trace) Trace {
	for i := range t {
		t[i].Time = slots[i].Time
	}
	return t
}

// Repeat puts a copy of the segment at from before the one at to, or at the
// end, as if it were captured then.
func (t Trace) Repeat(from, to int) Trace {
	again := t[from]
	if to < len(t) {
		again.Time = t[to].Time
	} else {
		again.Time = t[len(t)-1].Time.Add(time.Millisecond)
	}
	return slices.Insert(slices.Clone(t), to, again)
}

// Twice repeats each segment, as a capture on two interfaces has it.
func (t Trace) Twice() Trace {
	var twice Trace
	for _, s := range t {
		again := s
		again.Time = s.Time.Add(time.Microsecond)
		twice = append(twice, s, again)
	}
	return twice
}

// Edit returns a copy in which each segment went through edit.
func (t Trace) Edit(edit func(i int, s *Segment)) Trace {
	edited := slices.Clone(t)
	for i := range edited {
		edit(i, &edited[i])
	}
	return edited
}

// On returns the trace as captured on another link layer.
func (t Trace) On(link Link) Trace {
	return t.Edit(func(_ int, s *Segment) { s.Link = link })
}

// Merge returns several traces in the order of their times.
func Merge(traces ...Trace) Trace {
	merged := slices.Concat(traces...)
	slices.SortStableFunc(merged, func(a, b Segment) int { return a.Time.Compare(b.Time) })
	return merged
}
