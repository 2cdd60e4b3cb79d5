package steps

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// Situation is what there is to take steps for.
type Situation struct {
	// Ready is whether version 2 can be required everywhere. If not, InTheWay are the
	// reasons, and Missing is what has not been observed yet.
	Ready    bool
	InTheWay []string
	Missing  []string
	// Unplaced is whether some evidence may be of any instance, so that none is ready.
	Unplaced bool
	// Instances are those that are known by their ids.
	Instances []Instance
	// Unknown are hosts whose instances are not known.
	Unknown int
	// HopLimitTooLow is whether answers with a token do not reach clients for that, and
	// HopLimit the most that these need; HopLimitUnknown: what some need is not known.
	HopLimitTooLow  bool
	HopLimit        int
	HopLimitUnknown bool
	// LaunchHopLimit is the greatest that an instance has, or its clients need, and so what
	// those to come have to have; 0 if none is known.
	LaunchHopLimit int
}

// Instance is an instance, as far as it is known.
type Instance struct {
	ID     string
	Region string // empty if it is not known
	// Ready is whether version 2 can be required of it, Required whether it is.
	Ready    bool
	Required bool
	// HopLimitTooLow is whether its clients need more than it has, and HopLimit what they
	// need; 0 if it is not known.
	HopLimitTooLow bool
	HopLimit       int
}

// Ids and regions come from logs, which anybody may have written, and end up in commands:
// whatever has not their form is not known.
const regionForm = `^[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}$`

// IsInstanceID says whether this is an instance's id, which has 8 or 17 digits
// (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/resource-ids.html).
func IsInstanceID(s string) bool {
	digits, ok := strings.CutPrefix(s, "i-")
	return ok && (len(digits) == 8 || len(digits) == 17) && strings.Trim(digits, "0123456789abcdef") == ""
}

// maxHopLimit is the highest that an instance can have.
const maxHopLimit = 64

// trusted leaves out what is not as it should be, and puts instances in order.
func (s Situation) trusted() Situation {
	region := regexp.MustCompile(regionForm)
	var known []Instance
	for _, i := range s.Instances {
		if !IsInstanceID(i.ID) {
			s.Unknown++
			continue
		}
		if !region.MatchString(i.Region) {
			i.Region = ""
		}
		i.HopLimit = asHopLimit(i.HopLimit)
		known = append(known, i)
	}
	slices.SortFunc(known, func(a, b Instance) int {
		return cmp.Or(cmp.Compare(a.Region, b.Region), cmp.Compare(a.ID, b.ID))
	})
	s.Instances, s.HopLimit, s.LaunchHopLimit = known, asHopLimit(s.HopLimit), asHopLimit(s.LaunchHopLimit)
	return s
}

func asHopLimit(n int) int { return min(max(n, 0), maxHopLimit) }

// that are the instances for which it is so.
func (s *Situation) that(is func(*Instance) bool) (all []Instance) {
	for i := range s.Instances {
		if is(&s.Instances[i]) {
			all = append(all, s.Instances[i])
		}
	}
	return all
}

func isReady(i *Instance) bool   { return i.Ready && !i.Required }
func isPending(i *Instance) bool { return !i.Ready && !i.Required }
func needsHops(i *Instance) bool { return i.HopLimitTooLow }

// region is that of all instances, if they share one.
func (s *Situation) region() string {
	if len(s.Instances) == 0 {
		return ""
	}
	first := s.Instances[0].Region
	if slices.ContainsFunc(s.Instances, func(i Instance) bool { return i.Region != first }) {
		return ""
	}
	return first
}

// only is the only instance that is ready, or if none is the only one at all of which
// version 2 is not required; nil if there are several, or others that are not known.
func (s *Situation) only(ready []Instance) *Instance {
	pending := s.that(isPending)
	switch {
	case len(ready) == 1:
		return &ready[0]
	case len(ready) == 0 && len(pending) == 1 && s.Unknown == 0:
		return &pending[0]
	}
	return nil
}
