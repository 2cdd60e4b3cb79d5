package capture

import (
	"cmp"
	"slices"
	"time"
)

// fragments puts fragmented datagrams together again.
type fragments struct {
	open map[fragmentKey]*fragmented
	// order lists the keys of open, oldest first.
	order []fragmentKey
	// dropped is the number of datagrams that were given up: more than are kept, in
	// more pieces than there are for a reason, or with pieces that overlap.
	dropped uint64
	// crowded is true if there were more than are kept.
	crowded bool
	// partial is the number of those to the service of which a part did not come in time.
	partial uint64
}

type fragmentKey struct {
	src, dst address
	is4      bool
	id       uint32
}

// fragmented is a datagram of which parts are there. Of pieces that repeat what is there
// nothing is taken, and pieces that overlap end the datagram, as they do in the receiver
// (RFC 5722; Linux does the same for IPv4, inet_frag_queue_insert).
type fragmented struct {
	first  datagram // the fragment with offset 0
	since  time.Time
	pieces []piece // ordered by offset, not overlapping
	length int     // of the whole, -1 until the last fragment is there
	// toService is true if it is of TCP and may hold a request.
	toService bool
}

type piece struct {
	offset int
	data   []byte
}

// add takes in a fragment, to the service or not, and returns the datagram if it is whole now.
func (f *fragments) add(d datagram, toService bool, now time.Time) (datagram, bool) {
	if d.isCut() || d.offset+d.length > maxDatagram {
		return datagram{}, false // cut off by the snaplen, or more than IP allows
	}
	f.expire(now)
	key := fragmentKey{d.src, d.dst, d.is4, d.id}
	whole := f.open[key]
	if whole == nil {
		whole = f.begin(key, now)
		whole.toService = toService
	}
	if !whole.add(d) {
		f.dropped++
		f.forget(key)
		return datagram{}, false
	}
	if !whole.complete() {
		return datagram{}, false
	}
	f.forget(key)
	return whole.join(), true
}

func (f *fragments) begin(key fragmentKey, now time.Time) *fragmented {
	if f.open == nil {
		f.open = make(map[fragmentKey]*fragmented)
	}
	if len(f.order) >= maxFragmented {
		f.dropped++
		f.crowded = true
		f.forget(f.order[0])
	}
	whole := &fragmented{since: now, length: -1}
	f.open[key] = whole
	f.order = append(f.order, key)
	return whole
}

func (f *fragments) expire(now time.Time) {
	for len(f.order) > 0 && now.Sub(f.open[f.order[0]].since) > fragmentWait {
		f.giveUp(f.order[0])
	}
}

// flush gives up those that are not whole at the end of the capture.
func (f *fragments) flush() {
	for len(f.order) > 0 {
		f.giveUp(f.order[0])
	}
}

// giveUp is for a datagram of which a part is missing.
func (f *fragments) giveUp(key fragmentKey) {
	if f.open[key].toService {
		f.partial++
	}
	f.forget(key)
}

func (f *fragments) forget(key fragmentKey) {
	delete(f.open, key)
	if i := slices.Index(f.order, key); i >= 0 {
		f.order = slices.Delete(f.order, i, i+1)
	}
}

// add takes in a fragment. It reports false if the datagram is to be given up.
func (w *fragmented) add(d datagram) bool {
	if d.offset == 0 && w.first.payload == nil {
		w.first = d
		w.first.payload = []byte{}
	}
	if !d.more {
		w.length = d.offset + d.length
	}
	return w.insert(d.offset, d.payload)
}

// insert adds a piece. It reports false if it overlaps others, or is one too many.
func (w *fragmented) insert(offset int, data []byte) bool {
	i, _ := slices.BinarySearchFunc(w.pieces, offset, func(p piece, offset int) int { return cmp.Compare(p.offset, offset) })
	end := offset + len(data)
	if w.has(offset, end) {
		return true
	}
	if i > 0 && w.pieces[i-1].end() > offset || i < len(w.pieces) && w.pieces[i].offset < end {
		return false
	}
	if len(w.pieces) >= maxPieces {
		return false
	}
	w.pieces = slices.Insert(w.pieces, i, piece{offset, slices.Clone(data)})
	return true
}

// has reports whether all bytes between two places are there.
func (w *fragmented) has(from, end int) bool {
	for _, p := range w.pieces {
		if p.offset <= from && from < p.end() {
			from = p.end()
		}
	}
	return from >= end
}

func (p *piece) end() int { return p.offset + len(p.data) }

func (w *fragmented) complete() bool {
	if w.length < 0 || w.first.payload == nil {
		return false
	}
	have := 0
	for _, p := range w.pieces {
		if p.offset != have {
			return false
		}
		have += len(p.data)
	}
	return have >= w.length
}

func (w *fragmented) join() datagram {
	payload := make([]byte, 0, w.length)
	for _, p := range w.pieces {
		payload = append(payload, p.data...)
	}
	d := w.first
	d.payload, d.length = payload[:w.length], w.length
	d.fragmented, d.more, d.offset = false, false, 0
	return d
}
