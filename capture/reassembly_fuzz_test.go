package capture_test

import (
	"fmt"
	"testing"

	"imds-analyzer/capture/packettest"
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

// model is what a receiver has after some segments: of each byte the copy that
// came first.
type model struct {
	bytes []byte
	have  []bool
}

func newModel(size int) *model { return &model{make([]byte, size), make([]bool, size)} }

func (m *model) receive(at int, payload string) {
	for i := range len(payload) {
		if !m.have[at+i] {
			m.bytes[at+i], m.have[at+i] = payload[i], true
		}
	}
}

// targets are those of the requests that came whole before the first hole, and of
// all that came whole.
func (m *model) targets() (read []string, whole map[string]bool) {
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
// content, give what a receiver reads that keeps of each byte the copy that came
// first.
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
		case r.Incomplete == "" && !whole[r.Target]:
			t.Errorf("never received whole: %s", line(call))
		}
	}
	if len(got.calls) < len(read) {
		t.Errorf("%d of the %d requests before the first hole", len(got.calls), len(read))
	}
}
