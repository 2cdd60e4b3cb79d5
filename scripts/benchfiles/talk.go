package main

// talk is one TCP connection, planned from beginning to end before any of it
// is written.
type talk struct {
	client, server end
	next           [2]uint32 // the sequence number of what each end sends next
	stamps         [2]uint32 // the last timestamp of each end (RFC 7323)
	segments       []segment
}

// The two ends, as they index what a talk has of each.
const (
	up   = 0 // sent by the client
	down = 1 // sent by the server
)

// mss is the maximum segment size that both ends announce. With timestamps
// 12 bytes less are left for payload, 1448.
const (
	mss        = 1460
	maxPayload = mss - 12
)

// segment is one segment of a talk.
type segment struct {
	talk        *talk
	from        int // up or down
	flags       byte
	seq, ack    uint32
	stamp, echo uint32
	payload     []byte
}

// newTalk plans a connection that has its handshake behind it.
func newTalk(client, server end, sequence, stamp uint32) *talk {
	t := &talk{client: client, server: server}
	t.next = [2]uint32{sequence, ^sequence * 2654435761}
	t.stamps = [2]uint32{stamp, 0}
	t.send(up, flagSYN, nil)
	t.stamps[down] = ^stamp
	t.send(down, flagSYN|flagACK, nil)
	t.send(up, flagACK, nil)
	return t
}

// send plans one segment.
func (t *talk) send(from int, flags byte, payload []byte) {
	s := segment{talk: t, from: from, flags: flags, seq: t.next[from], payload: payload}
	t.stamps[from]++
	s.stamp = t.stamps[from]
	if flags&flagACK != 0 {
		s.ack, s.echo = t.next[1-from], t.stamps[1-from]
	}
	t.next[from] += uint32(len(payload))
	if flags&(flagSYN|flagFIN) != 0 {
		t.next[from]++
	}
	t.segments = append(t.segments, s)
}

// say plans a message, in as many segments as it takes, and the other end's
// acknowledgment of each two of them and of the last.
func (t *talk) say(from int, message []byte) {
	for n := 1; len(message) > 0; n++ {
		part := message[:min(len(message), maxPayload)]
		message = message[len(part):]
		flags := byte(flagACK)
		if len(message) == 0 {
			flags |= flagPSH
		}
		t.send(from, flags, part)
		if n%2 == 0 || len(message) == 0 {
			t.send(1-from, flagACK, nil)
		}
	}
}

// close plans the end of the connection, which the client begins.
func (t *talk) close() {
	t.send(up, flagFIN|flagACK, nil)
	t.send(down, flagFIN|flagACK, nil)
	t.send(up, flagACK, nil)
}

// ends returns the segment's sender and receiver.
func (s *segment) ends() (from, to *end) {
	if s.from == up {
		return &s.talk.client, &s.talk.server
	}
	return &s.talk.server, &s.talk.client
}
