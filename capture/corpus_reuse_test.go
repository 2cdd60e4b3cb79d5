package capture_test

import (
	"testing"
	"time"

	"imds-analyzer/capture/packettest"
)

// The same tuple again: a SYN starts afresh.
func TestCorpusReuse(t *testing.T) {
	const later = 100 * time.Millisecond
	two := []string{"v1 GET /a 200", "v2 GET /b 404"}
	closes := []struct {
		name string
		end  talk
	}{
		{"FIN", func(c *packettest.Conversation) { c.Close() }},
		{"RST of the client", func(c *packettest.Conversation) { c.Reset(fromClient) }},
		{"RST of the service", func(c *packettest.Conversation) { c.Reset(fromServer) }},
		{"nothing", func(*packettest.Conversation) {}},
		{"FIN of one side", func(c *packettest.Conversation) { c.Finish(fromClient) }},
	}
	gaps := []struct {
		name   string
		client uint32
	}{{"far ahead", 1 << 29}, {"ahead as TIME-WAIT reuse has it", 65535 + 2}, {"just ahead", 4000}, {"far behind", 3 << 30}}
	var cases []corpusCase
	for _, e := range closes {
		for _, gap := range gaps {
			first := func() *packettest.Conversation {
				c := packettest.New()
				c.Open()
				c.Client(get("/a"))
				c.Server(ok())
				e.end(c)
				return c
			}
			second := func(open talk) packettest.Trace {
				c := packettest.New()
				c.ClientISN += gap.client
				c.ServerISN += 1 << 27
				c.Now = packettest.Start.Add(later)
				open(c)
				c.Client(get("/b", tokenField))
				c.Server(answer("404 Not Found", ""))
				c.Close()
				return c.Trace()
			}
			handshake := func(c *packettest.Conversation) { c.Open() }
			name := e.name + ", then a SYN " + gap.name
			cases = append(cases,
				corpusCase{name: name, want: two, trace: func() packettest.Trace {
					return packettest.Merge(first().Trace(), second(handshake))
				}},
				corpusCase{name: name + ", and the first request again", want: two, trace: func() packettest.Trace {
					late := first()
					late.Now = packettest.Start.Add(later + 2500*time.Microsecond)
					late.Again(fromClient, 0)
					late.Again(fromServer, 0)
					return packettest.Merge(late.Trace(), second(handshake))
				}},
				corpusCase{name: name + ", and the first request again at the end", want: two, trace: func() packettest.Trace {
					late := first()
					late.Now = packettest.Start.Add(3 * later)
					late.Again(fromClient, 0)
					late.Again(fromServer, 0)
					return packettest.Merge(late.Trace(), second(handshake))
				}},
				corpusCase{name: name + ", captured in one direction", want: []string{"v1 GET /a -", "v2 GET /b -"},
					trace: func() packettest.Trace {
						return packettest.Merge(first().Trace(), second(handshake)).Only(fromClient)
					}},
				corpusCase{name: name + " that was not captured", want: two, trace: func() packettest.Trace {
					return packettest.Merge(first().Trace(), second(handshake).Drop(0))
				}})
		}
	}
	for _, e := range closes[:3] {
		cases = append(cases, corpusCase{name: e.name + ", then another without its handshake", want: two, trace: func() packettest.Trace {
			a, b := packettest.New(), packettest.New()
			a.Open()
			a.Client(get("/a"))
			a.Server(ok())
			e.end(a)
			b.ClientISN, b.ServerISN, b.Now = b.ClientISN+1<<29, b.ServerISN+1<<27, a.Now
			b.Open()
			b.Client(get("/b", tokenField))
			b.Server(answer("404 Not Found", ""))
			b.Close()
			return packettest.Merge(a.Trace(), b.Trace().Drop(0, 1, 2))
		}})
	}
	for _, by := range []time.Duration{-time.Hour, -20 * time.Millisecond, 3 * time.Millisecond, 20 * time.Millisecond, time.Second, time.Hour} {
		cases = append(cases, corpusCase{name: "the same packets by a clock that is ahead by " + by.String(), want: oneCallLines, plain: true,
			trace: func() packettest.Trace {
				c := packettest.New()
				c.Now = c.Now.Add(time.Second) // at first its timestamps are 0, as if there were none
				first := oneCall(c)
				again := first.Edit(func(_ int, s *packettest.Segment) { s.Time = s.Time.Add(by) })
				return packettest.Merge(first, again)
			}})
	}
	cases = append(cases, reuseOdd()...)
	cases = append(cases, reuseBehind()...)
	runCorpus(t, cases)
}

// reuseBehind are packets with numbers behind those of a connection that has ended, without a
// handshake: of another one on its ports, if the client's clock and ours say so, or again of it.
func reuseBehind() (cases []corpusCase) {
	two := []string{"v1 GET /a 200", "v2 GET /b 404"}
	for _, test := range []struct {
		name   string
		later  time.Duration
		behind uint32
		want   []string
	}{
		{"far behind, hours later", 3 * time.Hour, 1 << 29, two},
		{"just behind, hours later", 3 * time.Hour, 4000, two},
		{"as far as can be, days later", 20 * 24 * time.Hour, 1<<30 - 4000, two},
		{"far behind, while it may be sent again", 10 * time.Minute, 1 << 29, two[:1]},
	} {
		cases = append(cases, corpusCase{name: "another without its handshake, " + test.name, want: test.want, trace: func() packettest.Trace {
			a, b := packettest.New(), packettest.New()
			a.Now = a.Now.Add(time.Second) // at first its timestamps are 0, as if there were none
			a.Open()
			a.Client(get("/a"))
			a.Server(ok())
			a.Close()
			b.ClientISN, b.ServerISN, b.Now = b.ClientISN-test.behind, b.ServerISN+1<<27, a.Now.Add(test.later)
			b.Opened()
			b.Client(get("/b", tokenField))
			b.Server(answer("404 Not Found", ""))
			return packettest.Merge(a.Trace(), b.Trace())
		}})
	}
	return append(cases, corpusCase{name: "a call after hours with probes of a byte that was acknowledged", plain: true,
		want: []string{"v1 GET /a 200", "v1 GET /b 200"}, trace: func() packettest.Trace {
			c := packettest.New()
			c.Now = c.Now.Add(time.Second)
			c.Open()
			c.Client(get("/a"))
			c.Server(ok())
			for range 3 {
				c.Wait(2 * time.Hour)
				c.Stray(fromClient, func(s *packettest.Segment) { s.Seq, s.Payload = s.Seq-1, []byte{0} })
			}
			c.Wait(2 * time.Hour)
			c.Client(get("/b"))
			c.Server(ok())
			return c.Trace()
		}})
}

func reuseOdd() []corpusCase {
	return []corpusCase{
		{name: "a call without an answer, then a SYN", want: []string{"v1 GET /a -", "v1 GET /b 200"}, trace: func() packettest.Trace {
			a := packettest.New()
			a.Open()
			a.Client(get("/a"))
			b := packettest.New()
			b.ClientISN, b.ServerISN, b.Now = 5, 6, a.Now
			b.Open()
			b.Client(get("/b"))
			b.Server(ok())
			return packettest.Merge(a.Trace(), b.Trace())
		}},
		{name: "a SYN without an answer, then another behind all that the service sends", want: fourPiecesLines, trace: func() packettest.Trace {
			b := packettest.New()
			b.ClientISN, b.Now = b.ClientISN+1<<29, b.Now.Add(time.Second)
			fourPieces(b)
			late := b.Trace().Only(fromClient).Edit(func(_ int, s *packettest.Segment) { s.Time = s.Time.Add(20 * time.Millisecond) })
			return packettest.Merge(trace(fourPieces)[:1], b.Trace().Only(fromServer), late)
		}},
		{name: "a head in part, then a SYN", want: []string{"unknown GET /a - connection_closed", "v1 GET /b 200"}, trace: func() packettest.Trace {
			a := packettest.New()
			a.Open()
			a.Client(get("/a")[:30])
			b := packettest.New()
			b.ClientISN, b.ServerISN, b.Now = 5, 6, a.Now
			b.Open()
			b.Client(get("/b"))
			b.Server(ok())
			return packettest.Merge(a.Trace(), b.Trace())
		}},
		{name: "garbage, then a SYN", want: oneCallLines, trace: func() packettest.Trace {
			a := packettest.New()
			a.Open()
			a.Client("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + text(300))
			a.Close()
			b := packettest.New()
			b.ClientISN, b.ServerISN, b.Now = 5, 6, a.Now
			return packettest.Merge(a.Trace(), oneCall(b))
		}},
		{name: "the same initial sequence numbers again, seconds after a close", want: []string{"v1 GET /latest/meta-data/ 200", "v1 GET /latest/meta-data/ 200"},
			plain: true, trace: func() packettest.Trace {
				a, b := packettest.New(), packettest.New()
				b.Now = a.Now.Add(20 * time.Second)
				return packettest.Merge(oneCall(a), oneCall(b))
			}},
		{name: "a hundred connections on one tuple", want: repeated(100, "v1 GET /latest/meta-data/ 200"), trace: func() packettest.Trace {
			var all packettest.Trace
			now := packettest.Start
			for i := range uint32(100) {
				c := packettest.New()
				c.ClientISN, c.ServerISN, c.Now = i*70_000_000, i*90_000_000, now
				all = append(all, oneCall(c)...)
				now = c.Now
			}
			return all
		}},
	}
}

func repeated(n int, line string) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = line
	}
	return lines
}

// What a client has said and the capture does not hold is doubted, also where its port is used
// again.
func TestCorpusReuseBehindGap(t *testing.T) {
	for name, captured := range map[string]func(packettest.Trace) packettest.Trace{
		"a client that was heard": func(t packettest.Trace) packettest.Trace { return t },
		"nothing of the client but a SYN": func(t packettest.Trace) packettest.Trace {
			return append(t[:1:1], t.Only(fromServer)...)
		},
	} {
		a, b := packettest.New(), packettest.New()
		a.Open()
		a.LoseClient(get("/lost"))
		a.LoseServer(ok())
		b.ClientISN, b.ServerISN, b.Now = b.ClientISN+1<<29, b.ServerISN+1<<27, a.Now.Add(time.Second)
		got, stats := counted(t, nil, packettest.Merge(captured(a.Trace()), oneCall(b)).Packets())
		checkLines(t, got.lines(), oneCallLines)
		if stats.RequestGaps != 1 {
			t.Errorf("%s: %d gaps, want 1", name, stats.RequestGaps)
		}
	}
}

// fastOpen is a call whose request comes with the SYN (RFC 7413), and again behind it if the
// service has not taken it.
func fastOpen(c *packettest.Conversation, request string, taken bool) packettest.Trace {
	c.Open()
	if taken {
		c.LoseClient(request)
	} else {
		c.Client(request)
	}
	c.Server(answer("404 Not Found", ""))
	return c.Trace().Edit(func(i int, s *packettest.Segment) {
		switch {
		case i == 0:
			s.Payload = []byte(request)
		case i == 1 && taken:
			s.Ack += uint32(len(request))
		case i == 2 && taken:
			s.Seq += uint32(len(request))
		}
	})
}

// A request that comes with the SYN is found behind another connection on its ports, also where
// the capture does not hold the end of that.
func TestCorpusReuseByFastOpen(t *testing.T) {
	var cases []corpusCase
	for name, end := range map[string]talk{
		"FIN":             func(c *packettest.Conversation) { c.Close() },
		"FIN of one side": func(c *packettest.Conversation) { c.Finish(fromClient) },
		"RST":             func(c *packettest.Conversation) { c.Reset(fromServer) },
		"nothing":         func(*packettest.Conversation) {},
	} {
		for how, taken := range map[string]bool{"taken": true, "not taken": false} {
			both := func() packettest.Trace {
				a, b := packettest.New(), packettest.New()
				a.Open()
				a.Client(get("/a"))
				a.Server(ok())
				end(a)
				b.ClientISN, b.ServerISN, b.Now = b.ClientISN+1<<29, b.ServerISN+1<<27, a.Now.Add(time.Second)
				return packettest.Merge(a.Trace(), fastOpen(b, get("/b", tokenField), taken))
			}
			name := name + ", then a SYN with a request that is " + how
			cases = append(cases,
				corpusCase{name: name, want: []string{"v1 GET /a 200", "v2 GET /b 404"}, trace: both},
				corpusCase{name: name + ", captured in one direction", want: []string{"v1 GET /a -", "v2 GET /b -"},
					trace: func() packettest.Trace { return both().Only(fromClient) }},
				corpusCase{name: name + ", behind NAT", plain: true, want: []string{"v1 GET /a 200", "v2 GET /b 404"},
					trace: func() packettest.Trace { return both().Through(packettest.InterfaceHops(translated)...) }})
		}
	}
	runCorpus(t, cases)
}
