package report

import (
	"cmp"
	"math"
	"slices"
	"time"

	"imds-analyzer/output"
)

// periodLength is that of the service's own figures in CloudWatch.
const periodLength = 5 * time.Minute

// maxPeriods bounds the periods that are told apart on a host: 3.5 days in each of
// whose periods version 1 was called. At 16 bytes each they take 16 KiB, and 16 MiB
// on 1,000 such hosts. Of earlier ones the sum is kept.
const maxPeriods = 1024

// tokenless are the figures that CloudWatch has, too: calls without a token that
// succeeded (MetadataNoToken), and that were refused for that (MetadataNoTokenRejected).
// NotFound are those that were answered 404; whether CloudWatch counts them among
// the first is not documented.
type tokenless struct {
	Succeeded uint32 `json:"succeeded,omitempty"`
	Refused   uint32 `json:"refused,omitempty"`
	NotFound  uint32 `json:"not_found,omitempty"`
}

func tokenlessOf(e *output.Entry) tokenless {
	switch e.Tokenless() {
	case output.TokenlessAnswered:
		return tokenless{Succeeded: 1}
	case output.TokenlessRefused:
		return tokenless{Refused: 1}
	case output.TokenlessNotFound:
		return tokenless{NotFound: 1}
	}
	return tokenless{}
}

// times is so many of them, up to what there is room for.
func (t tokenless) times(n uint64) tokenless {
	by := uint32(min(n, math.MaxUint32))
	return tokenless{Succeeded: t.Succeeded * by, Refused: t.Refused * by, NotFound: t.NotFound * by}
}

func (t *tokenless) merge(o tokenless) {
	t.Succeeded = sum(t.Succeeded, o.Succeeded)
	t.Refused = sum(t.Refused, o.Refused)
	t.NotFound = sum(t.NotFound, o.NotFound)
}

// period is five minutes of a host: those since 1970 in Slot are before it.
type period struct {
	Slot uint32 `json:"slot"`
	tokenless
}

func (p *period) start() time.Time {
	return time.Unix(int64(p.Slot)*int64(periodLength/time.Second), 0).UTC()
}

// maxSlot is the last that RFC 3339 has times for: that at the end of the year 9999,
// which is 253,402,300,800 seconds after 1970.
const maxSlot = 253_402_300_800/300 - 1

// slotOf is 0 for times that no period can have.
func slotOf(t time.Time) uint32 {
	const seconds = int64(periodLength / time.Second)
	if s := t.Unix() / seconds; s > 0 && s <= maxSlot {
		return uint32(s)
	}
	return 0
}

// periods are the latest periods in which there were calls without a token, in order
// of time.
type periods struct {
	Latest  []period  `json:"latest,omitempty"`
	Earlier tokenless `json:"earlier,omitzero"`
}

func (p *periods) add(slot uint32, t tokenless) {
	if t == (tokenless{}) {
		return
	}
	at, known := slices.BinarySearchFunc(p.Latest, slot, func(p period, slot uint32) int { return cmp.Compare(p.Slot, slot) })
	switch {
	case slot == 0:
		p.Earlier.merge(t)
		return
	case !known:
		p.Latest = slices.Insert(p.Latest, at, period{Slot: slot})
	}
	p.Latest[at].merge(t)
	if len(p.Latest) > maxPeriods {
		p.Earlier.merge(p.Latest[0].tokenless)
		p.Latest = slices.Delete(p.Latest, 0, 1)
	}
}

func (p *periods) merge(o *periods) {
	for _, other := range o.Latest {
		if other.Slot > maxSlot {
			other.Slot = 0
		}
		p.add(other.Slot, other.tokenless)
	}
	p.Earlier.merge(o.Earlier)
}

// total is the sum of all, and highest the period with most calls that succeeded, or
// else were refused; nil if there is none.
func (p *periods) total() (total tokenless, highest *period) {
	total = p.Earlier
	for i := range p.Latest {
		one := &p.Latest[i]
		total.merge(one.tokenless)
		if highest == nil || one.Succeeded > highest.Succeeded ||
			one.Succeeded == highest.Succeeded && one.Refused > highest.Refused {
			highest = one
		}
	}
	return total, highest
}
