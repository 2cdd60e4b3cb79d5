package capture_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// place is an interface at which the packets of a topology come by.
type place struct {
	packettest.Hop
	join, split bool          // what offloads do to segments there
	late        time.Duration // by how much it is read later than others
	backOnly    bool          // captured on the way to the client only
	quiet       bool          // not captured
}

// topology is a way to the service, and what is done to the capture there.
type topology struct {
	name string
	hops []packettest.Hop
}

func topologies() []topology {
	routed := packettest.InterfaceHops(packettest.Client)
	within := packettest.InterfaceHops(translated)
	within[0].Network = inside1
	return []topology{
		{"host", routed[:1]},
		{"mirrored", packettest.InterfaceHops(packettest.Client)[:2]},
		{"routed", routed},
		{"bridge", packettest.InterfaceHops(translated)},
		{"nested", nestedHops()},
		{"namespace", within},
	}
}

// disorder is what happens to the connections and to the capture.
type disorder struct {
	name                                string
	late, offload, again, reuse, silent bool
	midstream, backOnly, quiet          bool
}

// places are the interfaces of a topology as a seed has them.
func (d *disorder) places(hops []packettest.Hop, random *rand.Rand) []place {
	places := make([]place, len(hops))
	for i := range places {
		p := &places[i]
		p.Hop = hops[i]
		if d.late {
			p.late = time.Duration(random.IntN(3000)) * time.Microsecond
		}
		p.join, p.split = d.offload && random.IntN(3) == 0, d.offload && random.IntN(3) == 0
		p.backOnly = d.backOnly && i > 0 && random.IntN(2) == 0
		p.quiet = d.quiet && random.IntN(3) == 0
	}
	if !slices.ContainsFunc(places, func(p place) bool { return !p.quiet }) {
		places[0].quiet = false
	}
	return places
}

// nearest is what lines say first of the client at the nearest place.
func nearest(places []place) (prefix string) {
	p := places[slices.IndexFunc(places, func(p place) bool { return !p.quiet })]
	if p.Network != "" {
		prefix = p.Network + " "
	}
	if p.Client.IsValid() && p.Client != packettest.Client {
		prefix += p.Client.String() + " "
	}
	return prefix
}

// capturedAt is what the places see of a trace, in the order in which they are read.
func capturedAt(t packettest.Trace, places []place, random *rand.Rand) packettest.Trace {
	var hops []packettest.Hop
	for i := range places {
		hops = append(hops, places[i].Hop)
	}
	var all packettest.Trace
	late := make([]time.Duration, len(places))
	passed := t.Through(hops...)
	for i, p := range places {
		late[p.InterfaceID] = p.late
		if p.quiet {
			continue
		}
		all = append(all, p.handed(without(passed, func(s packettest.Segment) bool {
			return s.InterfaceID != i || s.FromClient && p.backOnly
		}), random)...)
	}
	return readIn(all, late...)
}

// handed is what offloads hand on of a trace.
func (p *place) handed(t packettest.Trace, random *rand.Rand) packettest.Trace {
	often := func() bool { return random.IntN(3) > 0 }
	if p.join {
		t = offloaded(t, often)
	}
	if !p.split {
		return t
	}
	var pieces packettest.Trace
	for _, s := range t {
		if len(s.Payload) < 2 || !often() {
			pieces = append(pieces, s)
			continue
		}
		two := s.Split(1 + random.IntN(len(s.Payload)-1))
		two[1].ID++
		pieces = append(pieces, two...)
	}
	return pieces
}

// connection says a connection of some calls. What comes before begin is not captured.
func (d *dialogue) connection(o *disorder) (begin int) {
	d.Open()
	for n := range 1 + d.random.IntN(4) {
		if o.midstream && n > 0 && d.random.IntN(3) == 0 {
			answered := d.Trace().Data(false)
			begin, d.want = answered[len(answered)-1]+d.random.IntN(2), nil
		}
		d.round(o, n)
		if o.silent && d.random.IntN(2) == 0 {
			d.silence()
		}
	}
	d.end()
	return begin
}

// round says some requests, and their answers.
func (d *dialogue) round(o *disorder, n int) {
	var requests, answers string
	for i := range 1 + d.random.IntN(3)*d.random.IntN(2) {
		request, method, line := d.request(fmt.Sprintf("/%d-%d-%d", d.Now.Sub(packettest.Start).Milliseconds(), n, i))
		reply, status := d.answer(method)
		requests, answers = requests+request, answers+reply
		d.want = append(d.want, fmt.Sprintf(line, status))
	}
	d.Client(requests)
	d.again(o, fromClient)
	d.Server(answers)
	d.again(o, fromServer)
	d.Wait(time.Duration(d.random.IntN(3000)) * time.Millisecond)
}

// again sends the latest data of one side again, now and then.
func (d *dialogue) again(o *disorder, fromClient bool) {
	if o.again && d.random.IntN(3) == 0 {
		d.Wait(200 * time.Millisecond)
		d.Again(fromClient, len(d.Trace().Data(fromClient))-1)
	}
}

// silence is idle time, with keep-alive probes or for longer than connections are kept.
func (d *dialogue) silence() {
	if d.random.IntN(2) == 0 {
		d.Wait(time.Duration(d.random.IntN(40)) * time.Minute)
		return
	}
	for range d.random.IntN(5) {
		d.Wait(15 * time.Second)
		d.Stray(fromClient, ahead(-1, ""))
		d.Stray(fromServer, func(*packettest.Segment) {})
	}
}

// end closes in some way, or in none.
func (d *dialogue) end() {
	first := d.random.IntN(2) == 0
	switch d.random.IntN(5) {
	case 0:
		d.close(first)
	case 1:
		d.Reset(fromClient)
	case 2:
		d.Finish(first)
		d.Reset(!first)
	case 3:
		d.Finish(first)
		d.Wait(time.Second)
		d.Finish(!first)
	}
}

func (d *dialogue) close(byClient bool) {
	if byClient {
		d.Close()
	} else {
		d.CloseByServer()
	}
}

// Whatever the way to the service, what is captured of it and in which order: each call is
// told once, as its client's. A status may be missing where the capture begins in an answer.
func TestCorpusAnyTopology(t *testing.T) {
	for _, o := range []disorder{
		{name: "offloads", offload: true, quiet: true},
		{name: "interfaces read late, and ports again", late: true, again: true, reuse: true},
		{name: "silent for long", late: true, offload: true, reuse: true, silent: true},
		{name: "from the middle on", late: true, offload: true, midstream: true, backOnly: true},
	} {
		for _, way := range topologies() {
			t.Run(o.name+"/"+way.name, func(t *testing.T) {
				for seed := range capture.Sample(seeds / 10) {
					checkTopology(t, &o, way.hops, rand.New(rand.NewPCG(seed, 3)))
					if t.Failed() {
						t.Fatalf("seed %d", seed)
					}
				}
			})
		}
	}
}

func checkTopology(t *testing.T, o *disorder, hops []packettest.Hop, random *rand.Rand) {
	places := o.places(hops, random)
	var seen packettest.Trace
	var want []string
	now := packettest.Start.Add(time.Second)
	for range 1 + random.IntN(4) {
		d := dialogueOf(random)
		d.Now = now
		begin := d.connection(o)
		seen = append(seen, capturedAt(d.Trace()[begin:], places, random)...)
		for _, l := range d.want {
			want = append(want, nearest(places)+l)
		}
		if now = d.Now.Add(time.Duration(random.IntN(1000)) * time.Millisecond); !o.reuse {
			break
		}
	}
	got := found(t, nil, seen.Packets()).lines()
	if !o.midstream || !slices.Equal(bare(got), bare(want)) {
		checkLines(t, got, want)
	}
}

// bare are lines without what is not known of calls whose answers are not found.
func bare(lines []string) []string {
	bare := slices.Clone(lines)
	for i, l := range lines {
		var place string
		if cut, ok := strings.CutPrefix(l, inside1+" "); ok {
			place, l = inside1+" ", cut
		}
		bare[i] = place + strings.TrimSuffix(withoutStatus([]string{l})[0], " reset")
	}
	return bare
}
