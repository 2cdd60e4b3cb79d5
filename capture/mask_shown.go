package capture

import (
	"bytes"
	"slices"

	"imds-analyzer/imds"
)

const (
	maxKept     = 64 // runs remembered in a direction, for repeats, and beginnings of requests
	maxRunBytes = 4 << 10
	keptDropped = maxKept / 2
)

// shown is what has to be known of a stream for saving its packets.
type shown struct {
	// kept lists what may be shown of the stream.
	kept []kept
	// dropped is true if no more is known of what comes before from.
	dropped bool
	from    uint32
	// begun lists where the last messages began.
	begun []origin
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
	if r.shown == nil {
		return
	}
	last := len(r.shown.begun) - 1
	if last >= 0 && r.shown.begun[last].packet == r.first.packet {
		return
	}
	if len(r.shown.begun) >= maxKept {
		r.shown.begun = slices.Delete(r.shown.begun, 0, keptDropped)
	}
	r.shown.begun = append(r.shown.begun, r.first)
}

// begunIn reports whether a message begins in the bytes from sequence number seq on,
// and returns the note on who sent it.
func (r *messageReader) begunIn(seq uint32, length int) (*imds.Note, bool) {
	within := func(o origin) bool { return uint32(length) > o.seq-seq }
	if i := slices.IndexFunc(r.shown.begun, within); i >= 0 {
		return r.shown.begun[i].note, true
	}
	if r.state == stateHead && within(r.first) {
		return r.first.note, true
	}
	return nil, false
}

// kept is a run of bytes that may be saved, as they were read: a packet that
// repeats them may hold others.
type kept struct {
	seq  uint32
	data []byte
}

func (k *kept) end() uint32 { return k.seq + uint32(len(k.data)) }

// keep says that bytes from sequence number seq on may be saved.
func (r *messageReader) keep(seq uint32, data []byte) {
	if r.shown == nil || len(data) == 0 {
		return
	}
	if last := len(r.shown.kept) - 1; last >= 0 && r.shown.kept[last].end() == seq && len(r.shown.kept[last].data) < maxRunBytes {
		r.shown.kept[last].data = append(r.shown.kept[last].data, data...)
		return
	}
	if len(r.shown.kept) >= maxKept {
		r.shown.dropped, r.shown.from = true, r.shown.kept[keptDropped-1].end()
		r.shown.kept = slices.Delete(r.shown.kept, 0, keptDropped)
	}
	r.shown.kept = append(r.shown.kept, kept{seq, bytes.Clone(data)})
}
