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

// isIdle reports whether no call and no segment waits, which would hold a note.
func (f *flow) isIdle() bool {
	return len(f.exchange.pending) == 0 && len(f.delivering) == 0 && !f.streams[up].holds()
}

func (f *flow) dropNotes() {
	f.analyzer.notes.give(f.notes.cost)
	f.notes = notes{}
}
