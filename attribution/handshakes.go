package attribution

import (
	"net/netip"
	"slices"
)

const (
	// maxOpening handshakes can be under way at once.
	maxOpening = 1 << 10
	// maxHandshakes that ended are remembered: 2 s of 1,000 a second. A packet
	// reaches us within 50 ms.
	maxHandshakes = 2 << 10
	// clockSlack is how far the capture's clock and the events' can be apart:
	// that of captures is cut off at microseconds, and one is converted to the
	// other with about the same error.
	clockSlack = 20_000 // ns
)

// handshake is one of TCP (RFC 9293, section 3.5) as seen from the socket that
// began it.
type handshake struct {
	tuple      Tuple
	pid        int
	began, end int64    // ns, CLOCK_MONOTONIC
	succeeded  bool     // the service took the connection
	claimed    bool     // packets of it were captured
	read       *reading // of the process in connect(2), nil if nothing was
	member     *member  // the process then, nil if it was not known
	// line is its ancestors then, lineRead those that follow from read, for a
	// process whose own are not known.
	line, lineRead []kin
}

// ancestors returns them as far as is certain.
func (h *handshake) ancestors() []kin {
	if len(h.line) == 0 && h.read.says() {
		return h.lineRead
	}
	return h.line
}

// forgetMember is for when what is known of processes turns out to be wrong.
func (h *handshake) forgetMember(pids ...int) {
	if slices.Contains(pids, h.pid) {
		h.member, h.line = nil, nil
	}
}

// byKernel reports whether a thread of the kernel's own is known to have called connect(2):
// it did so for a process that it does not tell, as those of io_uring(7) did before Linux 5.12.
func (h *handshake) byKernel() bool {
	return h.read != nil && !h.read.doubted && h.read.known && h.read.kernel
}

// settled is the time by which all is known that can put in doubt what is known
// of the process.
func (h *handshake) settled() int64 {
	at := h.end
	if h.read != nil {
		at = max(at, h.read.sure())
	}
	if h.member != nil && h.member.image != nil {
		at = max(at, h.member.image.sure())
	}
	for _, k := range slices.Concat(h.line, h.lineRead) {
		at = max(at, k.image.sure())
	}
	return at
}

// covers reports whether the handshake's first packet can be one captured then.
func (h *handshake) covers(at, slack int64) bool {
	return h.began-slack <= at && at <= h.end+slack
}

// handshakes are those under way, and the latest that ended.
type handshakes struct {
	opening map[uint64]*handshake // by socket
	order   []opening             // as they were added; some have ended
	ended   map[Tuple][]*handshake
	ring    []*handshake
	next    int // place in ring of the oldest, once it is full
	// services are the ends that may be asked for, any if there are none.
	services []netip.AddrPort
}

func newHandshakes(services []netip.AddrPort) *handshakes {
	return &handshakes{opening: make(map[uint64]*handshake), ended: make(map[Tuple][]*handshake), services: services}
}

// opening is a handshake that began on a socket.
type opening struct {
	socket uint64
	*handshake
}

// begin adds one. An earlier one on the socket ended unseen.
func (s *handshakes) begin(socket uint64, h *handshake) {
	s.opening[socket] = h
	s.order = append(s.order, opening{socket, h})
	if len(s.order) < 2*maxOpening {
		return
	}
	s.order = slices.DeleteFunc(s.order, func(o opening) bool { return s.opening[o.socket] != o.handshake })
	for len(s.order) > maxOpening {
		delete(s.opening, s.order[0].socket)
		s.order = s.order[1:]
	}
}

// finish returns the handshake on the socket, which has ended, nil if its
// beginning was not seen, or nobody will ask for it: a proxy, or anybody, can connect to
// others' port 80 so often that there is no room for those that count.
func (s *handshakes) finish(e traceEvent) *handshake {
	h := s.opening[e.socket]
	delete(s.opening, e.socket)
	if h == nil || e.tuple.Local.Port() == 0 || len(s.services) > 0 && !slices.Contains(s.services, e.tuple.Remote) {
		return nil
	}
	h.tuple, h.end, h.succeeded = e.tuple, e.at, e.succeeded
	return h
}

func (s *handshakes) forgetMember(pids ...int) {
	for _, h := range s.opening {
		h.forgetMember(pids...)
	}
}

// forgetOpening is for when events are missing: which socket is which is not
// known any more.
func (s *handshakes) forgetOpening() {
	clear(s.opening)
	s.order = nil
}

func (s *handshakes) remember(h *handshake) {
	if len(s.ring) < maxHandshakes {
		s.ring = append(s.ring, h)
	} else {
		s.drop(s.ring[s.next])
		s.ring[s.next] = h
		s.next = (s.next + 1) % maxHandshakes
	}
	s.ended[h.tuple] = append(s.ended[h.tuple], h)
}

func (s *handshakes) drop(h *handshake) {
	rest := slices.DeleteFunc(s.ended[h.tuple], func(other *handshake) bool { return other == h })
	if len(rest) == 0 {
		delete(s.ended, h.tuple)
		return
	}
	s.ended[h.tuple] = rest
}

// find returns the handshakes whose first packet can be the one captured then.
// Tuples are used again within a millisecond: it is the one that was under way,
// or several, in as many network namespaces.
func (s *handshakes) find(t Tuple, at int64) (found []*handshake) {
	for _, slack := range []int64{0, clockSlack} {
		for _, h := range s.ended[t] {
			if h.covers(at, slack) {
				found = append(found, h)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found
}
