package capture

import (
	"slices"

	"imds-analyzer/imds"
)

// halfOpen are the connections of which nothing was seen of the client but a SYN, or
// nothing at all. Anybody can send those in any number and with any address, so that
// they have a bound of their own, below that of connections that take a client which is
// really there.
type halfOpen struct {
	order []unheard // as they came; some are not half open any more
	open  int       // how many are
	limit int
}

// unheard is a flow, and which connection it was: flows are used again.
type unheard struct {
	flow *flow
	id   uint64
}

func (u unheard) still() bool {
	return u.flow.id == u.id && !u.flow.told && u.flow.index >= 0
}

// maxHeardOf bounds those that are half open no more, beyond as many as are: 16 KiB.
const maxHeardOf = 1 << 10

// add takes in a new connection. It returns the one that has to make room, nil if there
// is room.
func (h *halfOpen) add(f *flow) (oldest *flow) {
	if h.open >= h.limit {
		oldest = h.pop()
	}
	if len(h.order) >= 2*h.open+maxHeardOf {
		h.order = slices.DeleteFunc(h.order, func(u unheard) bool { return !u.still() })
	}
	h.order = append(h.order, unheard{f, f.id})
	h.open++
	return oldest
}

func (h *halfOpen) pop() *flow {
	for len(h.order) > 0 {
		first := h.order[0]
		h.order = h.order[1:]
		if first.still() {
			return first.flow
		}
	}
	return nil
}

// tell has the handler know of the connection: there is a client. It is called before a
// call of it is handed over.
func (f *flow) tell() {
	if !f.told {
		f.told = true
		f.analyzer.halfOpen.open--
		f.analyzer.handler.Opened(f.conn())
	}
}

// drop gives a half open connection up. What its client sends later is read as that of
// a connection whose start was not captured, so that nothing is kept of this one.
func (a *Analyzer) drop(f *flow) {
	a.stats.HalfOpenDropped++
	f.dropOnSYN()
	f.finish(imds.CaptureEnd)
	a.release(f)
}
