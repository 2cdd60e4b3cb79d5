package main

// needlesAtOnce is how many sessions are under way at the same time.
const needlesAtOnce = 8

// needles writes so many calls and nothing else.
func needles(t *trace, calls int) {
	t.needles(calls, func(planned []segment) []segment { return planned })
}

// disorder writes the same calls with segments that come late and segments
// that come twice.
func disorder(t *trace, calls int) { t.needles(calls, t.disturb) }

func (t *trace) needles(calls int, disturb func([]segment) []segment) {
	s := sessions{trace: t}
	t.interleave(needlesAtOnce, func() []segment {
		if left := calls - t.truth.Calls; left > 0 {
			return disturb(s.session(left))
		}
		return nil
	})
}

// Of a thousand segments 30 come late and 10 come twice. The last one of a
// connection has nothing to come after: one in twelve, so that of the others
// it takes more.
const (
	lateOfThousand  = 33
	againOfThousand = 10
)

// disturb moves some segments behind one or two that follow on the same
// connection, and repeats some behind one to three.
func (t *trace) disturb(planned []segment) []segment {
	for i := len(planned) - 2; i >= 0; i-- {
		if t.rng.IntN(1000) < lateOfThousand && delay(planned[i:], 1+t.rng.IntN(2)) {
			t.truth.Reordered++
		}
	}
	var all []segment
	again := make(map[int][]segment) // by how many segments of the plan precede them
	for i, s := range planned {
		all = append(all, s)
		if t.rng.IntN(1000) < againOfThousand {
			at := min(i+1+t.rng.IntN(3), len(planned)-1)
			again[at] = append(again[at], s)
			t.truth.Repeated++
			t.truth.IMDSPackets++
		}
		all = append(all, again[i]...)
	}
	return all
}

// delay moves the first segment behind the next n of its connection, or as
// many as there are. It reports false if it is the last one.
func delay(planned []segment, n int) bool {
	first := planned[0]
	moved := 0
	for ; moved < n && moved+1 < len(planned) && planned[moved+1].talk == first.talk; moved++ {
		planned[moved] = planned[moved+1]
	}
	planned[moved] = first
	return moved > 0
}
