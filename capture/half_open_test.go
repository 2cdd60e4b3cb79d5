package capture

import "testing"

// Those that are half open no more are not kept for as long as there is room: a bound of
// 32,768 has nothing to do with connections that come and go one by one, each with a flow of
// its own or with that of the one before.
func TestHalfOpenForgetsThoseHeardOf(t *testing.T) {
	again := &flow{}
	for name, flowOf := range map[string]func() *flow{
		"flows of their own": func() *flow { return &flow{} },
		"one flow":           func() *flow { return again },
	} {
		t.Run(name, func(t *testing.T) {
			h := halfOpen{limit: 1 << 15}
			waits := &flow{id: 1}
			h.add(waits)
			most := 0
			for id := range uint64(20 * maxHeardOf) {
				f := flowOf()
				*f = flow{id: 2 + id, index: -1}
				h.add(f)
				f.told = true
				h.open--
				most = max(most, len(h.order))
			}
			if limit := maxHeardOf + 2*(1+1); most > limit {
				t.Errorf("%d connections were kept, more than %d", most, limit)
			}
			if oldest := h.pop(); oldest != waits {
				t.Errorf("the oldest that is half open is %+v", oldest)
			}
		})
	}
}
