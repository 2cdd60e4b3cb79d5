package capture

import (
	"maps"
	"math/rand/v2"
	"testing"
)

// The table knows what a map knows, also of keys that share a place, and of flows that
// have several.
func TestFlowTable(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	table, want := newFlowTable(), map[flowKey]*flow{}
	flows := [...]*flow{{id: 1}, {id: 2}, {id: 3}}
	for step := range 100_000 {
		key := flowKey{address: address{low: uint64(random.IntN(3))}, ports: uint64(random.IntN(1000))<<32 | uint64(random.IntN(2))}
		switch random.IntN(4) {
		case 0:
			f := flows[random.IntN(len(flows))]
			table.put(&key, f)
			want[key] = f
		case 1:
			table.remove(&key)
			delete(want, key)
		default:
			if got := table.find(&key); got != want[key] {
				t.Fatalf("step %d: %+v is of %+v, want %+v", step, key, got, want[key])
			}
		}
	}
	if !maps.Equal(table.flows, want) {
		t.Errorf("%d flows, want %d", len(table.flows), len(want))
	}
}

// The connections of a client that come after each other have places of their own.
func TestFlowTableSpreads(t *testing.T) {
	const connections = recentFlows
	for _, step := range []uint64{1, 2} { // Linux takes every other port
		table := newFlowTable()
		places := map[*recentFlow]bool{}
		for i := range uint64(connections) {
			places[table.place(&flowKey{address: address{low: 7}, ports: (32768 + i*step) << 32})] = true
		}
		if len(places) < connections*3/4 {
			t.Errorf("%d connections in %d places, every port of %d", connections, len(places), step)
		}
	}
}
