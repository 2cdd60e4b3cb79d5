package capture

import (
	"encoding/binary"
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
	port := key.ports >> 8
	mixed := port>>1 ^ port<<7 ^ uint64(byte(key.addr[1]))*31 ^ uint64(key.endpoint()) ^ key.network
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
	addr    [2]uint64 // the client's address
	network uint64
	ports   uint64 // the client's, and which endpoint it is
}

func (k *flowKey) endpoint() uint8 { return uint8(k.ports) }

// setClient takes over the client's address. Of an IPv4 one, as nearly all are, only the end
// is looked at.
func (k *flowKey) setClient(client netip.Addr) {
	if client.Is4() {
		v4 := client.As4()
		k.addr[0], k.addr[1] = 0, v4InV6|uint64(binary.BigEndian.Uint32(v4[:]))
		return
	}
	bytes := client.As16()
	k.addr[0], k.addr[1] = binary.BigEndian.Uint64(bytes[:8]), binary.BigEndian.Uint64(bytes[8:])
}

// v4InV6 is what stands before an IPv4 address in the form of IPv6 (RFC 4291, section 2.5.5.2).
const v4InV6 = 0xffff << 32

// client is the client's address, an IPv4 one in the form of IPv6.
func (k *flowKey) client() netip.Addr {
	var bytes [16]byte
	binary.BigEndian.PutUint64(bytes[:8], k.addr[0])
	binary.BigEndian.PutUint64(bytes[8:], k.addr[1])
	return netip.AddrFrom16(bytes)
}

// giveKey gives a segment the key of its tuple.
func (a *Analyzer) giveKey(s *segment) {
	s.key.setClient(s.client.Addr())
	s.key.network = a.numberOf(s.network)
	s.key.ports = uint64(s.client.Port())<<8 | uint64(s.endpoint)
}

// numberOf returns a number for a network namespace, 0 for the capture's own. Two
// of 64 bits are the same less often than memory fails.
func (a *Analyzer) numberOf(network string) uint64 {
	if network == "" {
		return 0
	}
	return maphash.String(a.seed, network)
}
