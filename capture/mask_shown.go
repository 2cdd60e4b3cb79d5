package capture

import (
	"slices"

	"imds-analyzer/imds"
)

// saving is what has to be known of a connection whose packets are saved.
type saving struct {
	waiting uint32 // the packets that wait to be saved
	left    bool   // nothing else keeps the connection
	shown   [2]shown
}

// shown is what has to be known of a stream for saving its packets. How much that is follows
// from the packets that wait to be saved: what lies behind all of them is forgotten, but for
// the latest of it. That is for packets that come again, sent once more or on another leg.
type shown struct {
	// kept lists what may be shown of the stream, in its order; gone is for how many runs there is
	// memory before it that were let go of.
	kept []kept
	gone int
	// dropped is true if no more is known of what comes before from.
	dropped bool
	from    uint32
	// begun lists where messages began, one for each packet at most.
	begun []origin
}

const (
	// maxRepeats is how much is kept of what lies behind the packets that wait: the heads of
	// the last packets of a direction, as those have 1 KiB or less. It is 24 MiB of as many
	// connections as a live capture follows.
	maxRepeats = 4 << 10
	// maxRunBytes bounds a run, which is let go of as a whole. usualRunBytes is what most heads
	// have room in, from the start.
	maxRunBytes   = 1 << 10
	usualRunBytes = 256
	// runOverhead is what a run takes beyond its bytes, and maxRunGap how many that are not
	// shown it takes in rather than have another run follow.
	runOverhead = 48
	maxRunGap   = runOverhead
	// maxGone bounds the memory for runs that were let go of, beyond that for as many as are left: 2 KiB.
	maxGone = 1 << 6
)

// kept is a run of bytes as they may be saved: a packet that repeats them may hold others.
type kept struct {
	seq  uint32
	data []byte
}

func (k *kept) end() uint32 { return k.seq + uint32(len(k.data)) }

// add says that bytes from sequence number seq on may be saved, which are behind all that
// were added before.
func (s *shown) add(seq uint32, data []byte) {
	for len(data) > 0 {
		run := s.runFor(seq)
		n := min(len(data), maxRunBytes-len(run.data))
		run.data = append(run.data, data[:n]...)
		seq, data = seq+uint32(n), data[n:]
	}
}

// runFor returns the run that ends where bytes from seq on follow, and has room for one.
func (s *shown) runFor(seq uint32) *kept {
	room := usualRunBytes
	if last := len(s.kept) - 1; last >= 0 {
		run := &s.kept[last]
		gap := int(int32(seq - run.end()))
		if gap >= 0 && gap <= maxRunGap && len(run.data)+gap < maxRunBytes {
			for range gap {
				run.data = append(run.data, maskByte)
			}
			return run
		}
		room = min(room, len(run.data)) // where runs are short, that of most would be for nothing
	}
	s.kept = append(s.kept, kept{seq: seq, data: make([]byte, 0, room)})
	return &s.kept[len(s.kept)-1]
}

// copyTo puts what may be shown of the bytes from seq on in their places.
func (s *shown) copyTo(masked []byte, seq uint32) {
	for _, k := range s.kept {
		from := int(int32(k.seq - seq))
		if from >= len(masked) {
			return
		}
		if skip := max(0, -from); skip < len(k.data) {
			copy(masked[from+skip:], k.data[skip:])
		}
	}
}

// forget lets go of what no packet needs that begins at sequence number seq or behind it, but
// for the latest.
func (s *shown) forget(seq uint32) {
	behind, n := 0, 0
	for ; n < len(s.kept) && !before(seq, s.kept[n].end()); n++ {
		behind += len(s.kept[n].data) + runOverhead
	}
	dropped := 0
	for ; behind > maxRepeats; dropped++ {
		behind -= len(s.kept[dropped].data) + runOverhead
	}
	if dropped > 0 {
		s.dropped, s.from = true, s.kept[dropped-1].end()
		clear(s.kept[:dropped])
		s.kept = s.kept[dropped:]
		s.gone += dropped
	}
	if s.gone > len(s.kept)+maxGone {
		s.kept, s.gone = slices.Clone(s.kept), 0
	}
	begun := 0
	for begun < len(s.begun) && before(s.begun[begun].seq, seq) {
		begun++
	}
	clear(s.begun[:begun])
	s.begun = s.begun[begun:]
}

// shown is for what the reader finds, nil if no packets are saved.
func (r *messageReader) shown() *shown {
	switch saving := r.flow.saving; {
	case saving == nil:
		return nil
	case r.isResponses():
		return &saving.shown[down]
	default:
		return &saving.shown[up]
	}
}

// undecided is the number of bytes that were read but may be of any kind.
func (r *messageReader) undecided() int {
	if r.state == stateHead || r.state == stateChunkSize {
		return len(r.buffer)
	}
	return 0
}

// markBegun notes where a request begins, the first one of a packet, for that to be
// saved.
func (r *messageReader) markBegun() {
	shown := r.shown()
	if shown == nil {
		return
	}
	last := len(shown.begun) - 1
	if last >= 0 && shown.begun[last].packet == r.first.packet {
		return
	}
	shown.begun = append(shown.begun, r.first)
}

// beginsAgain says that a request begins in a packet that is saved once more, with a note that
// the first one did not have.
func (s *saving) beginsAgain(o origin) {
	if s != nil {
		s.shown[up].beginsAgain(o)
	}
}

func (s *shown) beginsAgain(o origin) {
	at := 0
	for at < len(s.begun) && before(s.begun[at].seq, o.seq) {
		at++
	}
	if at < len(s.begun) && s.begun[at].seq == o.seq {
		s.begun[at] = o
		return
	}
	s.begun = slices.Insert(s.begun, at, o)
}

// begunIn reports whether a message begins in the bytes from sequence number seq on,
// and returns the note on who sent it.
func (r *messageReader) begunIn(seq uint32, length int) (*imds.Note, bool) {
	within := func(o origin) bool { return uint32(length) > o.seq-seq }
	begun := r.shown().begun
	for i := range begun {
		switch o := &begun[i]; {
		case within(*o):
			return o.note, true
		case !before(o.seq, seq):
			return nil, false
		}
	}
	if r.state == stateHead && within(r.first) {
		return r.first.note, true
	}
	return nil, false
}

// keep says that bytes from sequence number seq on may be saved.
func (r *messageReader) keep(seq uint32, data []byte) {
	shown := r.shown()
	if shown == nil || len(data) == 0 {
		return
	}
	if r.flow.saving.waiting == 0 {
		shown.forget(seq) // the packets of these bytes were saved without them
	}
	shown.add(seq, data)
}
