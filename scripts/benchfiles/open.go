package main

// open writes so many connections that are all open at the same time. Each
// carries one request in two segments: the first ones of all connections come
// before the second ones, so that a reader has as many heads to hold at once.
func open(t *trace, connections int) {
	s := sessions{trace: t}
	all := make([][]segment, connections)
	for i := range all {
		all[i] = s.halved()
	}
	const first = 4 // the handshake and the first half
	for _, planned := range all {
		t.segments(planned[:first])
	}
	for _, planned := range all {
		t.segments(planned[first : first+1])
	}
	for _, planned := range all {
		t.segments(planned[first+1:])
	}
}

func (t *trace) segments(all []segment) {
	for i := range all {
		t.segment(&all[i])
	}
}

// halved plans a connection with one request, of version 1 or 2, whose head
// is cut in two somewhere.
func (s *sessions) halved() []segment {
	c := newCalling(s.rng)
	if s.rng.IntN(2) == 0 {
		c.token = c.random(42) + "=="
	}
	asked := c.ask("/latest/meta-data/instance-id", "text/plain", "i-0123456789abcdef0")
	t := s.connect()
	cut := 1 + s.rng.IntN(len(asked.request)-1)
	t.send(up, flagACK|flagPSH, asked.request[:cut])
	t.send(up, flagACK|flagPSH, asked.request[cut:])
	t.send(down, flagACK, nil)
	t.say(down, asked.respond)
	t.close()
	s.count(asked)
	s.truth.IMDSPackets += len(t.segments)
	return t.segments
}
