package capture

import "slices"

// flowLeg is a leg of a connection: its tuple there, the hop limit of the packets of
// one direction, and how many routers it is farther from the client than the first leg that was
// seen.
type flowLeg struct {
	key       flowKey
	direction direction
	hopLimit  uint8
	away      int8
}

func legOf(s *segment) flowLeg {
	return flowLeg{key: s.key, direction: s.direction, hopLimit: s.hopLimit}
}

// legAt returns the leg with the key, which the flow has.
func (f *flow) legAt(key *flowKey) *flowLeg {
	return &f.legs[max(0, slices.IndexFunc(f.legs, func(l flowLeg) bool { return l.key == *key }))]
}

// isAsFar reports whether two legs are as far from the client, in one namespace.
func (l flowLeg) isAsFar(other flowLeg) bool {
	return l.direction == other.direction && l.hopLimit == other.hopLimit && l.key.network == other.key.network
}

// addLeg makes the tuple of s another one of the flow that it repeats a
// segment of. It returns nil if there is no room for one more: then s says nothing new.
func (a *Analyzer) addLeg(repeated *leg, s *segment) *flow {
	f, added := repeated.flow, legOf(s)
	if len(f.legs) >= maxLegs {
		a.stats.SegmentsIgnored++
		return nil
	}
	added.away = f.legAt(&repeated.key).away + repeated.routersTo(s)
	nearer, vantage := f.isFarther(&added, s.network, s, repeated), f.vantage
	if nearer {
		vantage = a.vantageOf(s)
	}
	a.takeLeg(f, added, nearer, vantage)
	return f
}

// takeLeg gives a flow a leg. The connection is known by the tuple nearest to the client. A
// network namespace other than ours is captured for the client that is in it.
func (a *Analyzer) takeLeg(f *flow, added flowLeg, nearer bool, vantage *vantage) {
	f.legs = append(f.legs, added)
	a.flows.put(&added.key, f)
	if !nearer {
		return
	}
	last := len(f.legs) - 1
	f.legs[0], f.legs[last] = f.legs[last], f.legs[0]
	f.vantage = vantage
	if f.told {
		a.handler.Opened(f.conn())
	}
}

// isFarther reports whether what the connection is known by was seen farther from the client than
// another leg, in a network namespace, of which s repeats a segment. What one namespace sends
// another takes in with the same hop limit.
func (f *flow) isFarther(other *flowLeg, network string, s *segment, repeated *leg) bool {
	nearest := &f.legs[0]
	switch {
	case (f.vantage.network == "") != (network == ""):
		return network != ""
	case other.away == nearest.away && nearest.key == repeated.key:
		return s.at.isSender() == (s.direction == up) && s.at.isSender() != repeated.at.isSender()
	}
	return other.away < nearest.away
}

// mergeLegs finds out that a flow which was taken for another connection is a
// leg of one, because its first segments came out of order, or were not captured there. What
// the flow that is dropped has read the other has read too, or does so now.
func (a *Analyzer) mergeLegs(f *flow, s *segment) *flow {
	repeated := a.legs.find(s)
	if repeated == nil || repeated.flow == f || len(f.legs) > 1 && len(repeated.flow.legs) > 1 {
		return f // two of which the whole way is known are two
	}
	if f.owes() && repeated.flow.owes() {
		return f // until one of them is done
	}
	if len(f.legs)+len(repeated.flow.legs) > maxLegs {
		return f
	}
	kept, dropped := repeated.flow, f
	farther := kept.legAt(&repeated.key).away + repeated.routersTo(s) - f.legAt(&s.key).away
	for i := range f.legs {
		f.legs[i].away += farther // as seen from where the other begins
	}
	nearer := kept.isFarther(&f.legs[0], f.vantage.network, s, repeated)
	if f.knowsMore(kept) {
		kept, dropped, nearer = f, kept, !nearer
	}
	a.dropLegs(dropped)
	for i, leg := range dropped.legs {
		a.takeLeg(kept, leg, nearer && i == 0, dropped.vantage)
	}
	return kept
}

// knowsMore reports whether the flow has read what another leg of its connection may lack: calls
// that were handed over, anything of the client, or else what came first.
func (f *flow) knowsMore(other *flow) bool {
	switch {
	case f.reported != other.reported:
		return f.reported
	case f.told != other.told:
		return f.told
	case f.owes() != other.owes():
		return f.owes()
	}
	return f.id < other.id
}

// owes reports whether something has to follow on what the flow has told: it is not dropped then.
func (f *flow) owes() bool { return f.reported && f.waits() }

// dropLegs drops a flow whose legs are another one's.
func (a *Analyzer) dropLegs(f *flow) {
	f.abandon()
	a.stats.Connections--
	a.remove(f)
	f.leave()
}
