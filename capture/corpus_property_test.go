package capture_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// dialogue is a random conversation: what was sent, and the calls in it.
type dialogue struct {
	*packettest.Conversation
	random *rand.Rand
	want   []string
}

func newDialogue(seed uint64) *dialogue { return dialogueOf(rand.New(rand.NewPCG(seed, 0))) }

func dialogueOf(random *rand.Rand) *dialogue {
	c := packettest.New()
	c.ClientISN, c.ServerISN = random.Uint32(), random.Uint32()
	if random.IntN(4) == 0 {
		c.ClientISN = -random.Uint32N(2000)
	}
	if random.IntN(4) == 0 {
		c.ServerISN = -random.Uint32N(2000)
	}
	c.SegmentSize = 20 + random.IntN(300)
	return &dialogue{Conversation: c, random: random}
}

// talk says some calls, and closes in some way.
func (d *dialogue) talk() {
	d.Open()
	d.call()
	switch d.random.IntN(4) {
	case 0:
		d.Close()
	case 1:
		d.CloseByServer()
	}
}

// call says some calls, pipelined now and then.
func (d *dialogue) call() {
	for n := range 1 + d.random.IntN(6) {
		var requests, answers string
		for i := range 1 + d.random.IntN(3)*d.random.IntN(2) {
			request, method, line := d.request(fmt.Sprintf("/%d-%d", n, i))
			reply, status := d.answer(method)
			requests += request
			answers += reply
			d.want = append(d.want, fmt.Sprintf(line, status))
		}
		d.Client(requests)
		d.Server(answers)
	}
}

// request is a request with its method and its line, where the status goes.
func (d *dialogue) request(target string) (request, method, line string) {
	fields := []string{}
	version := "v1"
	for range d.random.IntN(4) {
		fields = append(fields, "X-Filler: "+text(d.random.IntN(50)), "X-Aws-Ec2-Metadata-Tokens: "+target)
	}
	if d.random.IntN(2) == 0 {
		version, fields = "v2", append(fields, tokenField)
	}
	evil := get("/evil", tokenField)
	switch d.random.IntN(5) {
	case 0:
		return put(), "PUT", "v2 PUT /latest/api/token %d token"
	case 1:
		return upload("POST", target, evil, fields...), "POST", version + " POST " + target + " %d"
	case 2:
		return chunkedUpload("PUT", target, hex(evil)+"\r\n"+evil+"\r\n0\r\nX: y\r\n\r\n", fields...), "PUT", version + " PUT " + target + " %d"
	case 3:
		return "HEAD" + get(target, fields...)[3:], "HEAD", version + " HEAD " + target + " %d"
	}
	return get(target, fields...), "GET", version + " GET " + target + " %d"
}

func (d *dialogue) answer(method string) (reply string, status int) {
	status = []int{200, 204, 304, 401, 404, 500}[d.random.IntN(6)]
	interim := ""
	if d.random.IntN(5) == 0 {
		interim = "HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n"
	}
	line := fmt.Sprintf("%d Whatever", status)
	fake := answer("299 Fake", "")
	switch {
	case method == "HEAD" || status == 204 || status == 304:
		return interim + message("HTTP/1.1 "+line, "Content-Length: 77"), status
	case d.random.IntN(2) == 0:
		return interim + chunkedAnswer(line, hex(fake)+";x\r\n"+fake+"\r\n0\r\n\r\n"), status
	}
	return interim + answer(line, fake+text(d.random.IntN(600))), status
}

// mangle segments anew, repeats and reorders within window places.
func mangle(t packettest.Trace, random *rand.Rand, window int) packettest.Trace {
	var pieces packettest.Trace
	for _, s := range t {
		if len(s.Payload) > 1 && random.IntN(3) == 0 {
			at := 1 + random.IntN(len(s.Payload)-1)
			pieces = append(pieces, s.Split(at)...)
			continue
		}
		pieces = append(pieces, s)
	}
	type placed struct {
		packettest.Segment
		place float64
	}
	var all []placed
	for i, s := range pieces {
		all = append(all, placed{s, float64(i) + random.Float64()*float64(window)})
		for random.IntN(4) == 0 {
			all = append(all, placed{s, float64(i) + random.Float64()*2*float64(window+1)})
		}
	}
	slices.SortStableFunc(all, func(a, b placed) int {
		if a.place < b.place {
			return -1
		}
		return 1
	})
	var mangled packettest.Trace
	for i, p := range all {
		p.Time = packettest.Start.Add(5*time.Millisecond + time.Duration(i)*50*time.Microsecond)
		mangled = append(mangled, p.Segment)
	}
	return mangled
}

// However the packets of a conversation are cut, repeated and reordered: the
// calls are the same.
func TestCorpusAnyOrder(t *testing.T) {
	for _, window := range []int{0, 2, 5} {
		t.Run(fmt.Sprintf("within %d", window), func(t *testing.T) {
			for seed := range capture.Sample(seeds) {
				d := newDialogue(seed)
				d.talk()
				whole := d.Trace()
				mangled := packettest.Merge(whole[:handshake], mangle(whole[handshake:], d.random, window))
				checkLines(t, found(t, nil, mangled.Packets()).lines(), d.want)
				if t.Failed() {
					t.Fatalf("seed %d", seed)
				}
			}
		})
	}
}

// The same with the handshake somewhere between. A status that cannot be
// given to its call any more may be missing, but not be another call's.
func TestCorpusAnyOrderOfHandshake(t *testing.T) {
	for seed := range capture.Sample(seeds) {
		d := newDialogue(seed)
		d.talk()
		got := found(t, nil, mangle(d.Trace(), d.random, 5).Packets()).lines()
		if !sameButStatus(got, d.want) {
			t.Fatalf("seed %d: got %q, want %q", seed, got, d.want)
		}
	}
}

// sameButStatus reports whether lines are those wanted, some without their status.
func sameButStatus(got, want []string) bool {
	return slices.EqualFunc(got, want, func(got, want string) bool {
		return got == want || got == withoutStatus([]string{want})[0]
	})
}

// seeds is how many dialogues there are of a kind.
const seeds uint64 = 1500

// inFlight is how many segments are on the way at once at most.
const inFlight = 60

// The same in each direction by itself, as long as acknowledgements do not
// overtake what they acknowledge.
func TestCorpusAnyOrderInADirection(t *testing.T) {
	for seed := range capture.Sample(uint64(500)) {
		d := newDialogue(seed)
		d.talk()
		whole := d.Trace()
		shuffled := slices.Clone(whole)
		for from := 0; from < len(whole); {
			to := from
			for to < len(whole) && whole[to].FromClient == whole[from].FromClient && len(whole[to].Payload) > 0 {
				to++
			}
			if to == from {
				from++
				continue
			}
			to = min(to, from+inFlight)
			for i, j := range d.random.Perm(to - from) {
				shuffled[from+i] = whole[from+j]
				shuffled[from+i].Time = whole[from+i].Time
			}
			from = to
		}
		checkLines(t, found(t, nil, shuffled.Packets()).lines(), d.want)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Several conversations behind NAT, interleaved.
func TestCorpusAnyNAT(t *testing.T) {
	for seed := range capture.Sample(uint64(100)) {
		for _, way := range ways {
			d := newDialogue(seed)
			d.talk()
			checkLines(t, found(t, nil, d.Trace().Through(way.hops(translated)...).Packets()).lines(), d.want)
			if t.Failed() {
				t.Fatalf("%s, seed %d", way.name, seed)
			}
		}
	}
}

// plainCall is a call of a conversation of which packets get lost: target and
// status are its own.
type plainCall struct {
	target  string
	version imds.Version
	status  int
}

// plainCalls says n calls of which no part looks like another.
func plainCalls(c *packettest.Conversation, n int) []plainCall {
	var sent []plainCall
	c.Open()
	for i := range n {
		call := plainCall{fmt.Sprintf("/%d", i), imds.V1, 400 + i}
		if i%3 == 1 {
			call.version = imds.V2
			c.Client(get(call.target, tokenField))
		} else {
			c.Client(get(call.target))
		}
		c.Server(answer(fmt.Sprintf("%d Whatever", call.status), text(60*i)))
		sent = append(sent, call)
	}
	c.Close()
	return sent
}

// checkClaims holds what was found to what was sent, of which any part may be
// missing: nothing may be found that is not so.
func checkClaims(t testing.TB, sent []plainCall, got *recorder) {
	t.Helper()
	seen := map[string]bool{}
	for _, call := range got.calls {
		r := &call.Request
		i := slices.IndexFunc(sent, func(s plainCall) bool { return s.target == r.Target })
		switch {
		case i < 0 && r.Incomplete == imds.Whole:
			t.Errorf("never sent: %s", line(call))
		case i < 0 && r.Version() == imds.V1:
			t.Errorf("v1 without a request line: %s", line(call))
		case i < 0:
		case seen[r.Target] && r.Incomplete == imds.Whole:
			t.Errorf("twice: %s", line(call))
		case r.Version() != imds.VersionUnknown && r.Version() != sent[i].version:
			t.Errorf("wrong version: %s", line(call))
		case call.Response != nil && call.Response.Status != sent[i].status && r.Incomplete == imds.Whole:
			t.Errorf("wrong status: %s", line(call))
		}
		seen[r.Target] = true
	}
}

// One packet is lost: all that it is no part of is found as it was.
func TestCorpusAnyPacketLost(t *testing.T) {
	for _, size := range []int{1448, 100, 37} {
		t.Run(fmt.Sprint(size), func(t *testing.T) {
			c := packettest.New()
			c.SegmentSize = size
			sent := plainCalls(c, 5)
			whole := c.Trace()
			for lost := range whole {
				got := found(t, nil, whole.Drop(lost).Packets())
				checkClaims(t, sent, got)
				hit := callOf(whole, lost)
				for i, call := range sent {
					want := line(imds.Call{
						Conn:     imds.Conn{Client: packettest.Client, Service: packettest.Service},
						Request:  imds.Request{Method: "GET", Target: call.target, TokenHeader: call.version == imds.V2},
						Response: &imds.Response{Status: call.status},
					})
					if i != hit && !slices.Contains(got.lines(), want) {
						t.Errorf("packet %d is lost, which is of call %d: %q is missing in %q", lost, hit, want, got.lines())
					}
				}
				if t.Failed() {
					return
				}
			}
		})
	}
}

// callOf is the number of the call that a packet with payload is part of.
func callOf(t packettest.Trace, at int) int {
	if len(t[at].Payload) == 0 {
		return -1
	}
	call, last := -1, false
	for _, s := range t[:at+1] {
		if len(s.Payload) > 0 {
			if s.FromClient && !last {
				call++
			}
			last = s.FromClient
		}
	}
	return call
}

// Many packets are lost: what is found is so.
func TestCorpusManyLost(t *testing.T) {
	for seed := range capture.Sample(uint64(600)) {
		random := rand.New(rand.NewPCG(seed, 1))
		c := packettest.New()
		c.SegmentSize = 20 + random.IntN(300)
		sent := plainCalls(c, 8)
		var lost []int
		for i := range c.Trace() {
			if random.IntN(4) == 0 {
				lost = append(lost, i)
			}
		}
		kept := c.Trace().Drop(lost...)
		checkClaims(t, sent, found(t, nil, kept.Packets()))
		checkClaims(t, sent, found(t, nil, mangle(kept, random, 3).Packets()))
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

// Where there is little memory, connections make room for others in the midst of what is read
// of those: what is found is so all the same, and what is not found is counted.
func TestCorpusLittleMemory(t *testing.T) {
	for seed := range capture.Sample(uint64(600)) {
		random := rand.New(rand.NewPCG(seed, 2))
		sent := map[netip.AddrPort][]plainCall{}
		var traces []packettest.Trace
		for i := range 2 + random.IntN(10) {
			c := packettest.From(fmt.Sprintf("10.0.0.%d:%d", 1+i, 2000+i))
			c.SegmentSize = 20 + random.IntN(300)
			sent[c.ClientAddr] = plainCalls(c, 1+random.IntN(5))
			whole := c.Trace()
			traces = append(traces, whole[:handshake], mangle(whole[handshake:], random, random.IntN(3)))
		}
		limits := capture.Limits{Connections: 100, HalfOpen: 100, ClosedConnections: 100, BufferedBytes: random.IntN(4000)}
		got := newRecorder(t)
		a := capture.NewAnalyzer(imds.DefaultEndpoints(), limits, got)
		feed(a, packettest.Merge(traces...).Packets())
		a.Flush()
		got.check()
		stats := a.Stats()
		for client, calls := range sent {
			one := &recorder{calls: slices.DeleteFunc(slices.Clone(got.calls), func(c imds.Call) bool { return c.Conn.Client != client })}
			checkClaims(t, calls, one)
			lost := slices.ContainsFunc(one.calls, func(c imds.Call) bool { return c.Request.Incomplete == imds.LostSegment })
			if len(one.calls) < len(calls) && !lost && stats.Evicted+stats.RequestGaps == 0 {
				t.Errorf("%d calls of %d, and none is counted: %q", len(one.calls), len(calls), one.lines())
			}
		}
		if t.Failed() {
			t.Fatalf("seed %d, %d bytes", seed, limits.BufferedBytes)
		}
	}
}
