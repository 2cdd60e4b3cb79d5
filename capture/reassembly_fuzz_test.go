package capture_test

import (
	"fmt"
	"slices"
	"sort"
	"testing"

	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// The stream of FuzzReassembly is requests of the same length, one behind the
// other, in two spellings that differ in every byte of their targets but the
// last two, which number them.
const (
	modelRequests = 20
	modelSpelling = "abcdefghijklmnop"
	modelHead     = "GET /%s%02d HTTP/1.1\r\nHost: h\r\n\r\n"
	modelTarget   = len("GET ")
	modelNumber   = len("/") + len(modelSpelling)
)

// modelStream is the stream in one of the spellings.
func modelStream(other bool) string {
	spelling := []byte(modelSpelling)
	for i := range spelling {
		if other {
			spelling[i] -= 'a' - 'A'
		}
	}
	stream := ""
	for i := range modelRequests {
		stream += fmt.Sprintf(modelHead, spelling, i)
	}
	return stream
}

// model is what Linux's receiver has after some segments (tcp_data_queue_ofo and
// tcp_ofo_queue in net/ipv4/tcp_input.c).
type model struct {
	bytes []byte
	have  []bool
	next  int // what comes before it was read
	queue []queued
}

// queued is a segment out of order. They are kept whole, in the order of where they
// begin, and what was read of a segment by its turn is skipped.
type queued struct {
	at      int
	payload string
}

func (q queued) end() int { return q.at + len(q.payload) }

func newModel(size int) *model { return &model{bytes: make([]byte, size), have: make([]bool, size)} }

func (m *model) receive(at int, payload string) {
	s := queued{at, payload}
	switch {
	case at > m.next:
		m.enqueue(s)
	case s.end() > m.next:
		m.read(s)
		for len(m.queue) > 0 && m.queue[0].at <= m.next {
			m.read(m.queue[0])
			m.queue = m.queue[1:]
		}
	}
}

// enqueue drops a segment that one before it covers, and those that it covers.
func (m *model) enqueue(s queued) {
	covers := func(a, b queued) bool { return a.at <= b.at && b.end() <= a.end() }
	i := sort.Search(len(m.queue), func(i int) bool { return m.queue[i].at > s.at })
	if i > 0 && covers(m.queue[i-1], s) {
		return
	}
	m.queue = slices.Insert(m.queue, i, s)
	m.queue = slices.DeleteFunc(m.queue, func(q queued) bool { return q != s && covers(s, q) })
}

func (m *model) read(s queued) {
	m.fill(s)
	m.next = max(m.next, s.end())
}

// fill has the segment's bytes where there are none yet.
func (m *model) fill(s queued) {
	for i := range s.payload {
		if !m.have[s.at+i] {
			m.bytes[s.at+i], m.have[s.at+i] = s.payload[i], true
		}
	}
}

// targets are those of the requests that came whole before the first hole, and of
// all that came whole.
func (m *model) targets() (read []string, whole map[string]bool) {
	for _, q := range m.queue {
		m.fill(q)
	}
	size := len(m.bytes) / modelRequests
	hole := false
	whole = map[string]bool{}
	for at := 0; at < len(m.bytes); at += size {
		complete := true
		for _, have := range m.have[at : at+size] {
			complete = complete && have
		}
		hole = hole || !complete
		target := string(m.bytes[at+modelTarget : at+modelTarget+modelNumber+2])
		if complete {
			whole[target] = true
		}
		if !hole {
			read = append(read, target)
		}
	}
	return read, whole
}

// maxModelSegments is fewer than a direction keeps.
const maxModelSegments = 200

// modelOp is how many bytes of the input make a segment: two for where it begins,
// one for its length, one for its spelling.
const modelOp = 4

// FuzzReassembly: segments in any order, with gaps, and overlapping with other
// content, give what Linux's receiver reads.
func FuzzReassembly(f *testing.F) {
	f.Add([]byte{0, 0, 255, 0, 0, 200, 255, 1})
	f.Add([]byte{1, 0, 100, 0, 0, 0, 255, 1, 0, 250, 60, 0})
	f.Add([]byte{0, 60, 60, 1, 0, 30, 90, 0, 0, 0, 40, 1, 0, 0, 255, 0})
	f.Add([]byte{2, 0, 255, 1, 1, 0, 255, 0, 0, 0, 255, 1, 0, 255, 10, 0})
	streams := [2]string{modelStream(false), modelStream(true)}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > modelOp*maxModelSegments {
			return
		}
		c := packettest.New()
		c.Step = 0
		c.Open()
		m := newModel(len(streams[0]))
		for ; len(input) >= modelOp; input = input[modelOp:] {
			at := (int(input[0])<<8 | int(input[1])) % len(m.bytes)
			payload := streams[input[3]&1][at:min(at+1+int(input[2]), len(m.bytes))]
			m.receive(at, payload)
			c.Stray(true, func(s *packettest.Segment) {
				s.Seq += uint32(at)
				s.Payload = []byte(payload)
			})
		}
		checkModel(t, m, found(t, nil, c.Packets()))
	})
}

func checkModel(t *testing.T, m *model, got *recorder) {
	t.Helper()
	read, whole := m.targets()
	for i, call := range got.calls {
		switch r := &call.Request; {
		case i < len(read) && r.Target != read[i]:
			t.Errorf("request %d is %s, want %s", i, line(call), read[i])
		case r.Incomplete == imds.Whole && !whole[r.Target]:
			t.Errorf("never received whole: %s", line(call))
		}
	}
	if len(got.calls) < len(read) {
		t.Errorf("%d of the %d requests before the first hole", len(got.calls), len(read))
	}
}
