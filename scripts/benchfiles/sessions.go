package main

// sessions plans what clients of the metadata service do, one session after
// the other, and counts it in the truth.
type sessions struct {
	*trace
	made int // connections, of which each has another tuple
}

// Clients are this many hosts of one network, each with the ports that Linux
// gives out by default (ip(7), ip_local_port_range).
const (
	hosts     = 64
	firstPort = 32768
	ports     = 60999 - firstPort + 1
)

// service is the metadata service as an instance sees it.
func service() end {
	return end{mac: [6]byte{0x02, 0, 0, 0, 0, 1}, addr: [4]byte{169, 254, 169, 254}, port: 80}
}

// client returns the nth of hosts*ports ends.
func client(n int) end {
	host := byte(n % hosts)
	return end{
		mac:  [6]byte{0x02, 0, 0, 0, 1, host},
		addr: [4]byte{10, 0, 1, 10 + host},
		port: uint16(firstPort + n/hosts%ports),
	}
}

// connect begins one more connection to the service.
func (s *sessions) connect() *talk {
	s.made++
	s.truth.Connections++
	return newTalk(client(s.made-1), service(), s.rng.Uint32(), s.rng.Uint32())
}

// session plans one, of at most so many calls: with version 1 or, three times
// in five, with version 2, which asks for a token first.
func (s *sessions) session(most int) []segment {
	c := newCalling(s.rng)
	var calls []call
	if s.rng.IntN(5) < 3 && most >= 2 {
		calls = append(calls, c.askToken())
	}
	calls = append(calls, c.get())
	if len(calls) < most && s.rng.IntN(4) == 0 {
		calls = append(calls, c.get())
	}
	return s.converse(calls, c.keeps)
}

// converse plans the calls, on one connection if that is kept, else on one
// each. In the latter case one is over before the next begins.
func (s *sessions) converse(calls []call, keep bool) (planned []segment) {
	var t *talk
	for i, c := range calls {
		if t == nil {
			t = s.connect()
		}
		t.say(up, c.request)
		t.say(down, c.respond)
		s.count(c)
		if !keep || i == len(calls)-1 {
			t.close()
			planned = append(planned, t.segments...)
			t = nil
		}
	}
	s.truth.IMDSPackets += len(planned)
	return planned
}

func (s *sessions) count(c call) {
	s.truth.Calls++
	if c.v2 {
		s.truth.V2++
	} else {
		s.truth.V1++
	}
}
