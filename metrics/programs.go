package metrics

// maxPrograms bounds the programs that have a count of their own: some ten on a host call
// version 1. With names of 200 characters, 4 bytes each at most, they take 64 KiB; a fleet
// of 4,000 hosts has 264,000 series at most, with the two below.
const maxPrograms = 64

// The names of the other two counts.
const (
	programOther   = "other"   // programs that there was no room for
	programUnknown = "unknown" // calls whose process is not known
)

// programs are calls of version 1 by who made them. A program that has a count keeps it
// until the capture ends, and one that came when there was no room never gets one: so no
// count goes down, and the sum of all rates is right.
type programs struct {
	counts         map[string]uint64
	other, unknown uint64
}

// add counts a call by the program of that name, which is empty if it is not known.
func (p *programs) add(name string) {
	_, known := p.counts[name]
	switch {
	case name == "" || name == programUnknown:
		p.unknown++
	case name == programOther, !known && len(p.counts) >= maxPrograms:
		p.other++
	default:
		p.counts[name]++
	}
}
