package capture

import (
	"hash/maphash"
	"net/netip"
)

// flowTable finds the open flows by their keys.
type flowTable struct {
	flows map[flowKey]*flow
	// recent are flows that segments of late belonged to, each in the place that its key
	// says: the next ones are theirs most often, and are found in a third of the time.
	recent [recentFlows]recentFlow
}

// recentFlows is how many: 10 KiB.
const recentFlows = 1 << 8

type recentFlow struct {
	key  flowKey
	flow *flow // nil if there is none in this place
}

func newFlowTable() flowTable { return flowTable{flows: make(map[flowKey]*flow)} }

// place mixes what differs between connections of few clients: their ports, of which Linux
// takes every other one, and the end of their addresses.
func (t *flowTable) place(key *flowKey) *recentFlow {
	port := uint64(key.port())
	mixed := port>>1 ^ port<<7 ^ uint64(byte(key.address.low))*31 ^ uint64(key.endpoint()) ^ key.network
	return &t.recent[mixed%recentFlows]
}

// find returns the flow with the key, nil if there is none.
func (t *flowTable) find(key *flowKey) *flow {
	recent := t.place(key)
	if recent.flow != nil && recent.key == *key {
		return recent.flow
	}
	f := t.flows[*key]
	if f != nil {
		recent.key, recent.flow = *key, f
	}
	return f
}

// put makes the key one of the flow's.
func (t *flowTable) put(key *flowKey, f *flow) {
	t.flows[*key] = f
	recent := t.place(key)
	recent.key, recent.flow = *key, f
}

func (t *flowTable) remove(key *flowKey) {
	delete(t.flows, *key)
	if recent := t.place(key); recent.key == *key {
		recent.flow = nil
	}
}

// flowKey is a connection's tuple in compact form. In another network namespace
// the same tuple is another connection. It has no gaps, so that it is hashed and
// compared as the bytes that it is.
type flowKey struct {
	address address // the client's
	network uint64
	ports   uint64 // the client's, and which endpoint it is
}

// set takes over the client's end, and the number of the endpoint.
func (k *flowKey) set(client *endpoint, number int) {
	k.address = client.address
	k.ports = uint64(client.port)<<32 | uint64(number)
}

func (k *flowKey) endpoint() uint32 { return uint32(k.ports) }

func (k *flowKey) port() uint16 { return uint16(k.ports >> 32) }

// client is its end of a connection to the service.
func (k *flowKey) client(service netip.AddrPort) netip.AddrPort {
	client := k.address.netip()
	if service.Addr().Is4() {
		client = client.Unmap()
	}
	return netip.AddrPortFrom(client, k.port())
}

// numberOf returns a number for a network namespace, 0 for the capture's own. Two
// of 64 bits are the same less often than memory fails.
func (a *Analyzer) numberOf(network string) uint64 {
	if network == "" {
		return 0
	}
	return maphash.String(a.seed, network)
}
