package capture

import "imds-analyzer/imds"

// shape is the number that the names of a request's header fields make, as they are
// spelled and in their order: a 64-bit FNV-1a hash, the same in each run.
//
// HTTP clients differ in that as they do in their User-Agents, which some leave
// out. A client's token requests and its others have the same one, since what only
// the former have is left out. What a proxy adds stays: it is added to all.
type shape uint64

// The parameters of FNV-1a of 64 bits (RFC 9923).
const (
	shapeBasis = 0xcbf29ce484222325
	shapePrime = 0x100000001b3
)

func newShape() shape { return shapeBasis }

// visit takes in a field.
func (s *shape) visit(f *field) {
	switch f.name {
	case imds.TokenField, imds.TokenTTLField, "content-length", "content-type", "transfer-encoding", "expect":
		return // of token requests, or of bodies
	}
	h := uint64(*s)
	for _, c := range f.spelled {
		h = (h ^ uint64(c)) * shapePrime
	}
	*s = shape((h ^ ':') * shapePrime) // so that "a", "bc" is not "ab", "c"
}
