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
	"imds-analyzer/imds"
)

// lossy is a random conversation of a client and a service that both follow the rules, with
// what is on its way at any time.
type lossy struct {
	*packettest.Conversation
	random *rand.Rand
	calls  []lossyCall // in the order in which they are sent
	most   int         // how many calls it has
	window int         // how many requests wait for their answers at most
	burst  bool        // it sends more requests only when none waits
	// up and down are what the two sides say.
	up, down lossyWire
	answered int // how many requests have their answer on its way
}

// lossyCall is a call: its request is at [from, end) in what the client says, without
// the body up to head, and its answer ends at done in what the service says.
type lossyCall struct {
	method, target  string
	version         imds.Version
	status          int
	from, head, end int
	interim, done   int    // where its answers end, 0 before they are sent
	body            string // that waits for a 100 (Continue)
	last            bool   // the connection ends with the answer
}

// lossyWire is one direction.
type lossyWire struct {
	text      string // all that is said
	sent, got int    // how much of it was sent, and has come to the other side
	ends      []int  // of the segments
}

func newLossy(seed uint64) *lossy {
	random := rand.New(rand.NewPCG(seed, 3))
	l := &lossy{Conversation: dialogueOf(random).Conversation, random: random, most: 1 + random.IntN(8), window: 1}
	if random.IntN(2) == 0 {
		l.window = 2 + random.IntN(3)
		l.burst = random.IntN(2) == 0
	}
	l.Step = []time.Duration{50 * time.Microsecond, time.Millisecond, 30 * time.Millisecond, 300 * time.Millisecond}[random.IntN(4)]
	l.Open()
	for l.answered < l.most || l.down.got < len(l.down.text) || l.up.got < len(l.up.text) {
		l.step()
	}
	l.closes()
	return l
}

func (l *lossy) once(of int) bool { return l.random.IntN(of) == 0 }

// step does one of the things that can be done next.
func (l *lossy) step() {
	switch l.random.IntN(8) {
	case 0:
		l.ask()
	case 1:
		l.reply()
	case 2, 3:
		l.send(true)
	case 4, 5:
		l.send(false)
	case 6:
		l.up.arrive(l.random)
	case 7:
		l.down.arrive(l.random)
	}
	if l.once(12) {
		l.emit(l.once(2), packettest.ACK, "")
	}
}

// arrive has some of the segments on their way come.
func (w *lossyWire) arrive(random *rand.Rand) {
	for len(w.ends) > 0 {
		w.got, w.ends = w.ends[0], w.ends[1:]
		if random.IntN(3) == 0 {
			return
		}
	}
}

// send sends the next segment of one side.
func (l *lossy) send(fromClient bool) {
	w := &l.down
	if fromClient {
		w = &l.up
	}
	n := min(len(w.text)-w.sent, l.SegmentSize)
	if n == 0 {
		return
	}
	if l.once(8) {
		n = 1 + l.random.IntN(n)
	}
	l.emit(fromClient, packettest.PSH|packettest.ACK, w.text[w.sent:w.sent+n])
	w.sent += n
	w.ends = append(w.ends, w.sent)
}

// emit records a segment with what its side has received by now.
func (l *lossy) emit(fromClient bool, flags packettest.Flags, payload string) {
	from, to := &l.up, &l.down
	if !fromClient {
		from, to = to, from
	}
	l.Stray(fromClient, func(s *packettest.Segment) {
		s.Seq += uint32(from.sent)
		s.Ack += uint32(to.got)
		s.Flags, s.Payload = flags, []byte(payload)
	})
}

// waiting is how many requests have no answer that has come to the client.
func (l *lossy) waiting() int {
	n := 0
	for i := range l.calls {
		if c := &l.calls[i]; c.done == 0 || c.done > l.down.got {
			n++
		}
	}
	return n
}

// ask has the client say another request, or the body of the last one.
func (l *lossy) ask() {
	if n := len(l.calls); n > 0 && l.calls[n-1].body != "" {
		l.sayBody(&l.calls[n-1])
		return
	}
	waiting := l.waiting()
	if len(l.calls) == l.most || waiting >= l.window || l.burst && waiting > 0 {
		return
	}
	for n := 1 + l.random.IntN(l.window-waiting); n > 0 && len(l.calls) < l.most; n-- {
		l.sayRequest()
		if l.calls[len(l.calls)-1].body != "" {
			return
		}
	}
}

func (l *lossy) sayRequest() {
	c := lossyCall{method: "GET", target: fmt.Sprintf("/%d", len(l.calls)), version: imds.V1, status: 400 + 7*len(l.calls) + l.random.IntN(7)}
	c.last = len(l.calls) == l.most-1
	var fields []string
	if l.once(2) {
		c.version, fields = imds.V2, append(fields, tokenField)
	}
	for range l.random.IntN(3) {
		fields = append(fields, "X-Filler: "+strings.Repeat("x", l.random.IntN(90)))
	}
	body := text(1 + l.random.IntN(300))
	switch l.random.IntN(12) {
	case 0, 1:
		c.method = "HEAD"
		body = ""
	case 2:
		c.method, fields = "POST", append(fields, length(body))
	case 3:
		c.method, fields = "PUT", append(fields, "Transfer-Encoding: chunked")
		body = l.chunks(body)
	case 4:
		c.method, fields, c.body = "POST", append(fields, length(body), "Expect: 100-continue"), body
		body = ""
	default:
		body = ""
	}
	head := request(c.method, c.target, fields...)
	if l.once(3) && len(fields) > 0 { // the token's field comes first
		head = message(c.method+" "+c.target+" HTTP/1.1", append(fields, "Host: 169.254.169.254")...)
	}
	c.from = len(l.up.text)
	c.head = c.from + len(head)
	l.up.text += head + body
	c.end = len(l.up.text)
	if len(l.calls) == 3 {
		c.status = 204
	}
	if len(l.calls) == 5 {
		c.status = 304
	}
	l.calls = append(l.calls, c)
}

// sayBody has the client send the body that waits, or leave it away.
func (l *lossy) sayBody(c *lossyCall) {
	switch {
	case c.interim > 0 && c.interim <= l.down.got, c.done == 0 && l.once(6):
		l.up.text += c.body
		c.end = len(l.up.text)
	case c.done == 0 || c.done > l.down.got:
		return // it waits on
	}
	c.body = ""
}

// chunks is a body in chunks, at times with a trailer.
func (l *lossy) chunks(body string) string {
	cut := l.random.IntN(len(body))
	var coded string
	for _, part := range []string{body[:cut], body[cut:]} {
		if part != "" {
			coded += fmt.Sprintf("%x\r\n%s\r\n", len(part), part)
		}
	}
	return coded + "0\r\n" + []string{"", "X: y\r\n", "X-Trailer: y\r\nX: y\r\n"}[l.random.IntN(3)] + "\r\n"
}

// reply has the service say the next answer.
func (l *lossy) reply() {
	if l.answered == len(l.calls) {
		return
	}
	c := &l.calls[l.answered]
	if l.up.got < c.head || l.up.got < c.end && !l.once(20) {
		return
	}
	if c.body != "" && c.interim == 0 && !l.once(3) {
		l.down.text += message("HTTP/1.1 100 Continue")
		c.interim = len(l.down.text)
		return
	}
	if c.body != "" && c.interim > 0 {
		return // its body comes
	}
	if l.once(10) {
		l.down.text += message("HTTP/1.1 103 Early Hints", "Link: <a>")
	}
	l.down.text += l.answer(c)
	c.done = len(l.down.text)
	l.answered++
}

func (l *lossy) answer(c *lossyCall) string {
	line := fmt.Sprintf("%d Whatever", c.status)
	body := text(l.random.IntN(600))
	switch {
	case c.method == "HEAD", c.status == 304:
		return message("HTTP/1.1 "+line, length(body))
	case c.status == 204:
		return message("HTTP/1.1 " + line)
	case c.last && l.once(3):
		return message("HTTP/1.0 "+line) + body
	case l.once(3):
		return chunkedAnswer(line, l.chunks(body+"."))
	}
	return answer(line, body)
}

// closes ends the connection in some way, if at all.
func (l *lossy) closes() {
	switch first := l.once(2); l.random.IntN(3) {
	case 0:
		l.emit(first, packettest.FIN|packettest.ACK, "")
		l.emit(!first, packettest.FIN|packettest.ACK, "")
	case 1:
		l.emit(first, packettest.RST|packettest.ACK, "")
	}
}

// captured is what is seen of it, and whether the beginning is.
func (l *lossy) captured() (seen packettest.Trace, opened bool) {
	whole := l.Trace()
	loss := []float64{0.02, 0.05, 0.1, 0.3}[l.random.IntN(4)]
	upOnly, downOnly := l.once(5), l.once(5)
	var lost []int
	for i, s := range whole {
		if l.random.Float64() < loss && !(upOnly && !s.FromClient) && !(downOnly && s.FromClient) {
			lost = append(lost, i)
		}
	}
	opened = !slices.Contains(lost, 0)
	seen = whole.Drop(lost...)
	if !l.once(3) { // the ends stay where they are: what comes long behind them is of another connection
		begin, end := 0, slices.IndexFunc(seen, func(s packettest.Segment) bool { return s.Flags&(packettest.FIN|packettest.RST) != 0 })
		if len(seen) > 0 && opened {
			begin = 1
		}
		if end < 0 {
			end = len(seen)
		}
		seen = slices.Concat(seen[:begin], mangle(seen[begin:end], l.random, l.random.IntN(4)), seen[end:])
	}
	for i := range seen {
		seen[i].Time = packettest.Start.Add(time.Duration(i) * l.Step)
	}
	return seen, opened
}

// can reports whether what was told can be call n, going by all but its status; at is the
// packet in which it begins.
func (l *lossy) can(told *imds.Call, n int, at *packettest.Segment) bool {
	r, c := &told.Request, &l.calls[n]
	from := int(int32(at.Seq - (l.ClientISN + 1)))
	switch {
	case r.Target != "" && r.Target != c.target, r.Target == "" && r.Incomplete == imds.Whole:
		return false
	case r.Method != "" && r.Method != c.method, r.Version() != imds.VersionUnknown && r.Version() != c.version:
		return false
	}
	begins := c.from
	if r.Target == "" && n > 0 { // what is seen of the one before may be taken for a part of its head
		begins = l.calls[n-1].from
	}
	return at.FromClient && from < c.end && begins < from+len(at.Payload)
}

// pair finds for each told call one that was sent, with the right status or with any, and
// returns how many of them there are at most.
func (l *lossy) pair(told []imds.Call, seen packettest.Trace, anyStatus bool) int {
	of := make([]int, len(l.calls)) // the told one, and 1
	var find func(i int, tried []bool) bool
	find = func(i int, tried []bool) bool {
		at := slices.IndexFunc(seen, func(s packettest.Segment) bool { return s.Time.Equal(told[i].Request.Time) })
		for n := range l.calls {
			c := &l.calls[n]
			right := anyStatus || told[i].Response == nil || told[i].Response.Status == c.status
			if tried[n] || !right || !l.can(&told[i], n, &seen[at]) {
				continue
			}
			tried[n] = true
			if of[n] == 0 || find(of[n]-1, tried) {
				of[n] = i + 1
				return true
			}
		}
		return false
	}
	pairs := 0
	for i := range told {
		if find(i, make([]bool, len(l.calls))) {
			pairs++
		}
	}
	return pairs
}

// proven is how many requests were sent by what is seen of either side.
func (l *lossy) proven(seen packettest.Trace) int {
	reached := 0
	for _, s := range seen {
		seq := s.Seq + uint32(len(s.Payload))
		if !s.FromClient {
			seq = s.Ack
		}
		if s.Flags&packettest.SYN == 0 {
			reached = max(reached, int(int32(seq-(l.ClientISN+1))))
		}
	}
	n := 0
	for n < len(l.calls) && l.calls[n].head <= reached {
		n++
	}
	return n
}

// lossyCount is what was found of many conversations.
type lossyCount struct{ told, withStatus, untrue, wrongStatus, uncounted int }

func (n *lossyCount) add(l *lossy, seen packettest.Trace, opened bool, got *recorder, stats *capture.Stats) {
	told := len(got.calls)
	doubts := stats.RequestGaps + stats.ResponsesUnmatched
	for _, c := range got.calls {
		if c.Response != nil {
			n.withStatus++
		}
		if c.Request.Version() == imds.VersionUnknown {
			doubts++
		}
	}
	so, right := l.pair(got.calls, seen, true), l.pair(got.calls, seen, false)
	n.told += told
	n.untrue += told - so
	n.wrongStatus += so - right
	if opened && told < l.proven(seen) && doubts == 0 {
		n.uncounted++
	}
}

// Whatever of a conversation is not captured: what is told of a call is so, of each call that was
// sent once, and what is not told is counted. Of a client that sends requests before it has the
// answers to earlier ones, what is lost may hide that it does: then a status can be that of
// another call, a call can be told twice, and one can be missed beside one that is told, but seldom.
func TestCorpusLossy(t *testing.T) {
	var alone, pipelined lossyCount
	for seed := range capture.Sample(uint64(4000)) {
		l := newLossy(seed)
		seen, opened := l.captured()
		got, stats := counted(t, nil, seen.Packets())
		if l.window > 1 {
			pipelined.add(l, seen, opened, got, &stats)
			continue
		}
		before := alone
		alone.add(l, seen, opened, got, &stats)
		if alone.untrue+alone.wrongStatus+alone.uncounted > before.untrue+before.wrongStatus+before.uncounted {
			t.Errorf("seed %d: %+v: %q", seed, alone, got.lines())
		}
	}
	if pipelined.untrue > pipelined.told/2000 || pipelined.wrongStatus > pipelined.withStatus/40 || pipelined.uncounted > pipelined.told/200 {
		t.Errorf("of clients that send several requests at once: %+v", pipelined)
	}
	if alone.withStatus < alone.told*9/10 || pipelined.withStatus < pipelined.told*7/10 {
		t.Errorf("few have a status: %+v, %+v", alone, pipelined)
	}
	t.Logf("%+v, %+v", alone, pipelined)
}
