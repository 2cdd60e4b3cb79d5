package capture

import "imds-analyzer/imds"

// maxNote bounds what is taken over of a packet's comments: as much as one can
// hold.
const maxNote = pcapngMaxOption

// noteOf returns what the capture says of who sent a packet, nil if nothing: so it
// costs packets nothing that have no comment.
func noteOf(p *Packet) *imds.Note {
	switch {
	case p.Sender != nil:
	case p.Comment == "":
		return nil
	}
	n := &imds.Note{Inbound: p.Inbound}
	if len(p.Comment) <= maxNote { // else it says what nobody knows
		n.Comment = p.Comment
	}
	if p.Sender != nil {
		n.Sender = *p.Sender
	}
	return n
}

// notes are those that a connection holds.
type notes struct {
	last *imds.Note // of the client's last packet that had one
	cost int        // that they have of the budget for notes
}

// takeNote takes in the note of a packet of the client. Where there is no room for
// it, what was said before is not believed any more.
func (f *flow) takeNote(n *imds.Note) {
	if n == nil || f.notes.last != nil && *f.notes.last == *n {
		return
	}
	if f.isIdle() {
		f.dropNotes()
	}
	cost := len(n.Comment) + segmentOverhead
	if !f.analyzer.notes.take(cost) {
		f.notes.last = nil
		return
	}
	f.notes.last, f.notes.cost = n, f.notes.cost+cost
}

// noteAgain takes in the note of a packet that repeats what was read, as another file of the
// same time has it. It counts for the requests that begin in the packet, if the one that was
// read first said nothing itself: else they would have none, or that of the call before.
func (f *flow) noteAgain(c *chunk) {
	if !c.noted {
		return
	}
	for i := range f.exchange.pending {
		if p := &f.exchange.pending[i]; !p.noted && c.holds(p.seq) {
			p.request.Note, p.noted = c.note, true
			f.saving.beginsAgain(origin{seq: p.seq, packet: c.packet, note: c.note, noted: true})
		}
	}
	if first := &f.requests.first; !first.noted && c.holds(first.seq) {
		first.note, first.noted = c.note, true
	}
}

// holds reports whether the byte with that sequence number is in the chunk.
func (c *chunk) holds(seq uint32) bool { return seq-c.seq < uint32(c.length()) }

// isIdle reports whether no call and no segment waits, which would hold a note.
func (f *flow) isIdle() bool {
	return len(f.exchange.pending) == 0 && len(f.delivering) == 0 && !f.streams[up].holds()
}

func (f *flow) dropNotes() {
	f.analyzer.notes.give(f.notes.cost)
	f.notes = notes{}
}
