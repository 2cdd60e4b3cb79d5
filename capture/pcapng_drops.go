package capture

import "math"

// Where a pcapng file says how many packets its writer has lost: in a packet block, between
// that packet and the one before it on the same interface (epb_dropcount), and in an
// Interface Statistics Block, since the capture began (isb_ifdrop and isb_osdrop).
const (
	pcapngOptDropCount = 4 // Enhanced Packet Block
	pcapngOptIfDrop    = 5 // Interface Statistics Block
	pcapngOptOSDrop    = 7
)

// pcapngMaxStatistics bounds the Interface Statistics Blocks that are read: with all options
// that there are, and no comments, one has some 120 bytes.
const pcapngMaxStatistics = 64 << 10

// The largest numbers stand for one that is not known.
const (
	pcapngNoDropCount = math.MaxUint64
	pcapngNoDropField = math.MaxUint16 // of an obsolete Packet Block
)

// pcapngMaxDrops is how many are counted at most, whatever is claimed: there is room for other
// counts in a sum with it, and written again it is not the number for what is not known.
const pcapngMaxDrops = math.MaxInt64

// pcapngDrops is what is said of one interface. Both ways may tell of the same packets.
type pcapngDrops struct{ byPackets, stated uint64 }

func (d *pcapngDrops) most() uint64 { return max(d.byPackets, d.stated) }

// addDrops takes in what a packet says.
func (f *pcapngFile) addDrops(id uint32, n uint64) {
	if n == pcapngNoDropCount || uint64(id) >= uint64(len(f.interfaces)) {
		return
	}
	d := &f.interfaces[id].drops
	f.learn(d, pcapngDrops{saturated(d.byPackets, n), d.stated})
}

// statistics reads the body of an Interface Statistics Block: interface, time, options. Of
// several blocks the last one holds, whose numbers are the highest.
func (f *pcapngFile) statistics(body []byte) {
	const fixed = 12
	if len(body) < fixed {
		return
	}
	id, stated := f.order.Uint32(body), uint64(0)
	for o, rest, ok := pcapngNextOption(body[fixed:], f.order); ok && o.code != pcapngOptEnd; o, rest, ok = pcapngNextOption(rest, f.order) {
		if (o.code == pcapngOptIfDrop || o.code == pcapngOptOSDrop) && len(o.value) == 8 {
			if n := f.order.Uint64(o.value); n != pcapngNoDropCount {
				stated = saturated(stated, n)
			}
		}
	}
	if uint64(id) < uint64(len(f.interfaces)) {
		d := &f.interfaces[id].drops
		f.learn(d, pcapngDrops{d.byPackets, max(d.stated, stated)})
	}
}

// learn adds to the file's count what is new of an interface's.
func (f *pcapngFile) learn(d *pcapngDrops, now pcapngDrops) {
	more := now.most() - d.most()
	*d = now
	if more > 0 {
		f.drops.Store(saturated(f.drops.Load(), more))
	}
}

// saturated is a count with n more, or as much as is counted.
func saturated(count, n uint64) uint64 { return count + min(n, pcapngMaxDrops-count) }
