package capture

import (
	"net/netip"
	"slices"
	"time"
)

// fragments puts fragmented datagrams together again.
type fragments struct {
	open map[fragmentKey]*fragmented
	// order lists the keys of open, oldest first.
	order []fragmentKey
}

type fragmentKey struct {
	src, dst netip.Addr
	id       uint32
}

// fragmented is a datagram of which parts are there. The first copy of each
// byte wins, as it does in the receiver.
type fragmented struct {
	first  datagram // the fragment with offset 0
	since  time.Time
	pieces []piece // ordered by offset, not overlapping
	length int     // of the whole, -1 until the last fragment is there
}

type piece struct {
	offset int
	data   []byte
}

// add takes in a fragment and returns the datagram if it is whole now.
func (f *fragments) add(d datagram, now time.Time) (datagram, bool) {
	if len(d.payload) < d.length || d.offset+d.length > maxDatagram {
		return datagram{}, false // cut off by the snaplen, or more than IP allows
	}
	f.expire(now)
	key := fragmentKey{d.src, d.dst, d.id}
	whole := f.open[key]
	if whole == nil {
		whole = f.begin(key, now)
	}
	whole.add(d)
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
		f.forget(f.order[0])
	}
	whole := &fragmented{since: now, length: -1}
	f.open[key] = whole
	f.order = append(f.order, key)
	return whole
}

func (f *fragments) expire(now time.Time) {
	for len(f.order) > 0 && now.Sub(f.open[f.order[0]].since) > fragmentWait {
		f.forget(f.order[0])
	}
}

func (f *fragments) forget(key fragmentKey) {
	delete(f.open, key)
	if i := slices.Index(f.order, key); i >= 0 {
		f.order = slices.Delete(f.order, i, i+1)
	}
}

func (w *fragmented) add(d datagram) {
	if d.offset == 0 && w.first.payload == nil {
		w.first = d
		w.first.payload = []byte{}
	}
	if !d.more {
		w.length = d.offset + d.length
	}
	w.insert(d.offset, d.payload)
}

// insert adds those of the bytes that are not there yet.
func (w *fragmented) insert(offset int, data []byte) {
	for i := 0; i < len(w.pieces) && len(data) > 0; i++ {
		p := w.pieces[i]
		if before := p.offset - offset; before > 0 {
			n := min(before, len(data))
			w.pieces = slices.Insert(w.pieces, i, piece{offset, slices.Clone(data[:n])})
			offset, data = offset+n, data[n:]
			continue
		}
		if covered := p.offset + len(p.data) - offset; covered > 0 {
			n := min(covered, len(data))
			offset, data = offset+n, data[n:]
		}
	}
	if len(data) > 0 {
		w.pieces = append(w.pieces, piece{offset, slices.Clone(data)})
	}
}

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
