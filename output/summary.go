package output

import (
	"cmp"
	"maps"
	"slices"

	"imds-analyzer/attribution"
)

// Summary gathers what is said at the end of a run. Its size is bounded.
type Summary struct {
	v1, v2, unknown uint64
	tokenRequests   uint64
	incomplete      map[string]uint64 // unknown calls by reason
	attribution     map[attribution.Status]uint64
	programs        map[programKey]*program
	others          program                // of programs that there was no room for
	overRate        uint64                 // calls that were too many for entries of their own
	beyond          uint64                 // those of them whose programs may have none either
	notShown        uint64                 // calls that were too many for lines on the terminal
	notEnriched     map[NotEnriched]uint64 // nil where no command says more of calls

	withoutPackets        uint64                     // connections
	callersWithoutPackets map[string]*WithoutPackets // by owner
}

// NotEnriched is why an entry has no labels from the command that was to give it
// some, in words for people.
type NotEnriched string

// The reasons.
const (
	CommandFailed NotEnriched = "the command failed"
	TookTooLong   NotEnriched = "the command took too long"
	TooMany       NotEnriched = "too many were waiting for the command"
	EndedFirst    NotEnriched = "the program was ended first"
	CommandsOwn   NotEnriched = "the command made the call itself"
)

// NewSummary returns an empty Summary.
func NewSummary() *Summary {
	return &Summary{
		incomplete:  map[string]uint64{},
		attribution: map[attribution.Status]uint64{},
		programs:    map[programKey]*program{},

		callersWithoutPackets: map[string]*WithoutPackets{},
	}
}

// Add counts a call.
func (s *Summary) Add(e *Entry) {
	s.attribution[attribution.Status(e.IMDS.Attribution.Status)]++
	switch e.Event.Action {
	case actionToken:
		s.tokenRequests++
		s.v2++
		return
	case actionV2:
		s.v2++
		return
	case actionV1:
		s.v1++
	default:
		s.unknown++
		s.incomplete[e.IMDS.Incomplete]++
	}
	s.program(keyOf(e)).add(e)
}

func (s *Summary) program(key programKey) *program {
	p := s.programs[key]
	switch {
	case p != nil:
		return p
	case len(s.programs) >= maxPrograms:
		return &s.others
	}
	p = newProgram(key)
	s.programs[key] = p
	return p
}

// OverRate says how many calls so far are told together with others, as there were too many,
// and of how many of them the programs may have no line of their own.
func (s *Summary) OverRate(calls, beyond uint64) { s.overRate, s.beyond = calls, beyond }

// NotShown counts a call that the terminal does not show for that.
func (s *Summary) NotShown() { s.notShown++ }

// Enriching says that a command says more of calls.
func (s *Summary) Enriching() { s.notEnriched = map[NotEnriched]uint64{} }

// NotEnriched counts the calls of an entry that has no labels for the reason, after Enriching.
func (s *Summary) NotEnriched(e *Entry, reason NotEnriched) { s.notEnriched[reason] += e.Calls() }

// enrichFailed is how many calls have no labels, nil where none were to be had.
func (s *Summary) enrichFailed() *uint64 {
	if s.notEnriched == nil {
		return nil
	}
	var sum uint64
	for _, n := range s.notEnriched {
		sum += n
	}
	return &sum
}

// Calls is the number of calls.
func (s *Summary) Calls() uint64 { return s.v1 + s.v2 + s.unknown }

// V1 is the number of calls of version 1.
func (s *Summary) V1() uint64 { return s.v1 }

// Counts returns the counts of a lifecycle entry.
func (s *Summary) Counts(c CaptureStats) Counts {
	counts := Counts{
		PacketsReceived:         c.PacketsReceived,
		PacketsDroppedKernel:    c.DroppedByKernel,
		PacketsDroppedInterface: c.DroppedByInterface,
		PacketsNotRead:          c.NotRead,
		CallsV1:                 s.v1,
		CallsV2:                 s.v2,
		CallsUnknown:            s.unknown,
		CallsOverRate:           s.overRate,
		CallsProgramNotTold:     s.beyond,
		StreamsNotHTTP:          c.NotHTTP,
		AttributionResolved:     s.sum(attribution.Resolved, attribution.Shared, attribution.Inferred),
		AttributionMissed:       s.sum(attribution.NotFound, attribution.Unavailable),
		EventsLost:              c.EventsLost,
		Truncated:               c.Truncated,
		ResponsesUnmatched:      c.ResponsesUnmatched,
		ConnectionsEvicted:      c.Evicted,
		EndedEarly:              c.EndedEarly,
		PacketsNotSaved:         c.PacketsNotSaved,
		HalfOpenDropped:         c.HalfOpenDropped,
		SegmentsIgnored:         c.SegmentsIgnored,
		RequestsPartial:         c.RequestsPartial,
		RequestGaps:             c.RequestGaps,
		FilesLate:               c.FilesLate,
		EnrichFailed:            s.enrichFailed(),
		NetworkNamespaces:       c.NetworkNamespaces,
		WithoutPackets:          s.listWithoutPackets(),
	}
	if !c.Live {
		counts.Segments = new(c.Segments)
	}
	if c.RequestsCut > 0 {
		counts.RequestsCut, counts.SnaplenNeeded = new(c.RequestsCut), new(uint64(c.SnaplenNeeded))
	}
	if c.TellsWithoutPackets {
		counts.ConnectionsWithoutPackets = new(s.withoutPackets)
	}
	return counts
}

func (s *Summary) sum(statuses ...attribution.Status) uint64 {
	var sum uint64
	for _, status := range statuses {
		sum += s.attribution[status]
	}
	return sum
}

// sorted returns the programs, those with the most calls of version 1 first.
func (s *Summary) sorted() []*program {
	return slices.SortedFunc(maps.Values(s.programs), func(a, b *program) int {
		return cmp.Or(cmp.Compare(b.v1, a.v1), cmp.Compare(b.unknown, a.unknown),
			cmp.Compare(a.title(), b.title()), cmp.Compare(a.key.owner.name, b.key.owner.name))
	})
}
