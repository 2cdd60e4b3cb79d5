package capture

import (
	"testing"

	"imds-analyzer/imds"
)

// Of a segment that waits for others no more is kept than can be read: what is all body is
// passed over, whatever is missing before it.
func TestBodiesAreNotHeld(t *testing.T) {
	const next, remaining = 1000, 100
	for _, tt := range []struct {
		name      string
		direction direction
		state     messageState
		expects   bool
		seq       uint32
		length    int
		held      bool
	}{
		{"all of the rest", down, stateBody, false, next, 100, false},
		{"its end", down, stateBody, false, next + 50, 50, false},
		{"beyond its end", down, stateBody, false, next + 50, 51, true},
		{"behind it", down, stateBody, false, next + 100, 50, true},
		{"in a chunk", down, stateChunk, false, next, 100, false},
		{"beyond a chunk", down, stateChunk, false, next, 101, true},
		{"until the end", down, stateUntilClose, false, next + 1<<20, 1 << 16, false},
		{"in a head", down, stateHead, false, next, 100, true},
		{"where the place is lost", down, stateLost, false, next, 100, true},
		{"of a request", up, stateBody, false, next, 100, false},
		{"of a request, for which a head may come", up, stateBody, true, next, 100, true},
	} {
		f := &flow{analyzer: NewAnalyzer(imds.DefaultEndpoints(), LiveLimits(), nil)}
		f.requests.flow, f.responses.flow = f, f
		f.streams[tt.direction].start(next)
		r := f.reader(tt.direction)
		r.state, r.remaining, f.requests.expects = tt.state, remaining, tt.expects
		c := f.withoutBody(tt.direction, chunk{origin: origin{seq: tt.seq}, data: make([]byte, tt.length)})
		if held := c.data != nil; held != tt.held || c.length() != tt.length {
			t.Errorf("%s: %d bytes are held of %d", tt.name, len(c.data), c.length())
		}
	}
}
