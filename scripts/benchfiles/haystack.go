package main

import (
	"fmt"
	"math/rand/v2"
)

// haystack writes a file of about so many bytes, in which one packet of a
// thousand is of a call to the metadata service.
func haystack(t *trace, bytes int) {
	const imdsOf = 1000
	s, other := sessions{trace: t}, newTraffic(t)
	var planned []segment
	due := 0 // the number of packets at which the next session begins
	for t.truth.Bytes < int64(bytes) || len(planned) > 0 {
		if len(planned) == 0 && t.truth.Packets >= due {
			planned = s.session(3)
			due += imdsOf * len(planned)
		}
		if len(planned) == 0 || t.rng.IntN(4) > 0 {
			other.packet()
			continue
		}
		t.segment(&planned[0])
		planned = planned[1:]
	}
}

// traffic is what else passes on a host's network: many transfers at once,
// and datagrams.
type traffic struct {
	*trace
	transfers []*transfer
	noise     []byte // what transfers carry: records of TLS
	made      int
}

// transfersAtOnce is how many connections are busy at the same time.
const transfersAtOnce = 100

func newTraffic(t *trace) *traffic {
	other := &traffic{trace: t, noise: records(t.rng, 700)}
	for range transfersAtOnce {
		other.transfers = append(other.transfers, other.transfer())
	}
	return other
}

// records makes so many records of TLS, each of which fills a segment with
// data that means nothing (RFC 8446, section 5.1).
func records(rng *rand.Rand, n int) []byte {
	all := randomBytes(rng, n*maxPayload)
	for at := 0; at < len(all); at += maxPayload {
		beginRecord(all[at:], maxPayload)
	}
	return all
}

// beginRecord makes the first length bytes a record of application data.
func beginRecord(data []byte, length int) {
	const header = 5
	copy(data, []byte{23, 3, 3, byte((length - header) >> 8), byte(length - header)})
}

// packet writes one. Of a hundred packets five are datagrams.
func (o *traffic) packet() {
	if o.rng.IntN(100) < 5 {
		o.lookup()
		return
	}
	i := o.rng.IntN(len(o.transfers))
	if !o.transfers[i].step(o) {
		o.transfers[i] = o.transfer()
	}
}

// transfer is a connection that carries a request and then much data.
type transfer struct {
	*talk
	left  int  // pairs of segments of data that are still to be planned
	ended bool // its end is planned
}

// meanPairs is how many pairs of data segments a transfer has on average:
// 580 kB.
const meanPairs = 200

// transfer begins one to some server: mostly over TLS, a fifth over plain
// HTTP, some to services at other link-local addresses.
func (o *traffic) transfer() *transfer {
	server := end{mac: service().mac, addr: [4]byte{52, byte(o.rng.IntN(64)), byte(o.rng.IntN(250)), byte(1 + o.rng.IntN(250))}, port: 443}
	pairs := 1 + int(o.rng.ExpFloat64()*meanPairs)
	switch n := o.rng.IntN(100); {
	case n < 20:
		server.port = 80
	case n < 25: // ECS hands out the credentials of tasks there, EKS those of pods
		server.addr, server.port, pairs = [4]byte{169, 254, 170, byte(2 + 21*(n%2))}, 80, 1
	}
	o.made++ // from the other end than the metadata service's clients
	t := newTalk(client(hosts*ports-o.made), server, o.rng.Uint32(), o.rng.Uint32())
	o.open(t, 2*pairs*maxPayload)
	return &transfer{talk: t, left: pairs}
}

// open plans what comes before so many bytes of data.
func (o *traffic) open(t *talk, bytes int) {
	if t.server.port != 80 {
		hello := append([]byte(nil), o.record()[:517]...)
		beginRecord(hello, len(hello))
		t.say(up, hello)
		return
	}
	t.say(up, fmt.Appendf(nil, "GET /pool/%d HTTP/1.1\r\nHost: mirror.example\r\nUser-Agent: apt/2.6\r\nAccept: */*\r\n\r\n", o.rng.Uint32()))
	t.say(down, fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\nContent-Length: %d\r\n\r\n", bytes))
}

// record returns some record.
func (o *traffic) record() []byte {
	at := o.rng.IntN(len(o.noise)/maxPayload) * maxPayload
	return o.noise[at : at+maxPayload]
}

// step writes the transfer's next segment. It reports false if that was the
// last.
func (f *transfer) step(o *traffic) bool {
	if len(f.segments) == 0 {
		f.more(o)
	}
	o.segment(&f.segments[0])
	f.segments = f.segments[1:]
	return !f.ended || len(f.segments) > 0
}

// more plans the next pair of data segments and their acknowledgment, or the
// end.
func (f *transfer) more(o *traffic) {
	if f.left == 0 {
		f.close()
		f.ended = true
		return
	}
	f.left--
	f.send(down, flagACK, o.record())
	f.send(down, flagACK|flagPSH, o.record())
	f.send(up, flagACK, nil)
}

// lookup writes a question to a resolver or a time server and its answer.
func (o *traffic) lookup() {
	asking := client(o.rng.IntN(hosts * ports))
	asked := end{mac: service().mac, addr: [4]byte{10, 0, 0, 2}, port: 53}
	question, answer := dns(o.rng)
	switch o.rng.IntN(4) {
	case 0:
		asked.addr = [4]byte{169, 254, 169, 253} // the resolver at its link-local address
	case 1:
		asked.addr, asked.port = [4]byte{169, 254, 169, 123}, 123
		question, answer = ntp(3), ntp(4)
	}
	o.datagram(&asking, &asked, question)
	o.datagram(&asked, &asking, answer)
}

// dns is a question for an address and its answer (RFC 1035, section 4).
func dns(rng *rand.Rand) (question, answer []byte) {
	id := rng.Uint32()
	question = []byte{byte(id >> 8), byte(id), 0x01, 0x00, 0, 1, 0, 0, 0, 0, 0, 0}
	question = fmt.Appendf(question, "\x08host%04d\x07example\x00\x00\x01\x00\x01", id%10000)
	answer = append([]byte(nil), question...)
	answer[2], answer[3], answer[7] = 0x81, 0x80, 1
	answer = append(answer, 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 0, byte(id>>8), byte(id))
	return question, answer
}

// ntp is a packet of version 4 (RFC 5905, section 7.3) in this mode, without
// times.
func ntp(mode byte) []byte {
	packet := make([]byte, 48)
	packet[0] = 4<<3 | mode
	return packet
}
