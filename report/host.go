package report

import (
	"cmp"
	"time"

	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// maxHosts bounds the hosts that are told apart. One takes 2 KiB, and with a session,
// an hour and a period for each of 1,000 calls without a token, and all buckets of a
// timeline, some 30 KiB.
const maxHosts = 4096

// host is what was taken in of a host.
type host struct {
	// Key is what it is told apart by: the id of the instance, or else of the machine,
	// or else its name; empty for captures of which no line tells the host.
	Key string `json:"key"`
	// Hostname and Instance are those of the latest entry.
	Hostname string    `json:"hostname,omitempty"`
	Instance string    `json:"instance,omitempty"`
	Region   string    `json:"region,omitempty"`
	Named    time.Time `json:"named,omitzero"`
	Calls    calls     `json:"calls"`
	Seen     span      `json:"seen,omitzero"`
	Options  options   `json:"options"`
	Periods  periods   `json:"periods,omitzero"`
	Timeline timeline  `json:"timeline,omitzero"`
	Sessions sessions  `json:"sessions"`

	index  int       // in the order in which hosts came
	stated bool      // a state was read
	states []covered // what that has counted
}

// calls are numbers of calls by version.
type calls struct {
	V1 uint64 `json:"v1"`
	V2 uint64 `json:"v2"`
	// TokenRequests are those of version 2 that ask for a token.
	TokenRequests uint64 `json:"token_requests"`
	Unknown       uint64 `json:"unknown"`
}

// callsOf are the calls that the entry stands for.
func callsOf(e *output.Entry) calls {
	n := e.Calls()
	switch {
	case e.IMDS.Version == imds.V1.String():
		return calls{V1: n}
	case e.IMDS.Version != imds.V2.String():
		return calls{Unknown: n}
	case e.IsTokenRequest():
		return calls{V2: n, TokenRequests: n}
	}
	return calls{V2: n}
}

// spanOf is the time between the first and the last of them.
func spanOf(e *output.Entry) span {
	s := span{e.IMDS.Folded.First, e.IMDS.Folded.Last}
	s.add(e.Timestamp)
	return s
}

func (c *calls) merge(o calls) {
	c.V1 = sum(c.V1, o.V1)
	c.V2 = sum(c.V2, o.V2)
	c.TokenRequests = sum(c.TokenRequests, o.TokenRequests)
	c.Unknown = sum(c.Unknown, o.Unknown)
}

// without leaves out some of them.
func (c calls) without(o calls) calls {
	return calls{less(c.V1, o.V1), less(c.V2, o.V2), less(c.TokenRequests, o.TokenRequests), less(c.Unknown, o.Unknown)}
}

func hostKey(f *output.HostFields) string {
	return cmp.Or(f.Cloud.Instance.ID, f.Host.ID, f.Host.Hostname)
}

// name takes in what an entry says of its host. What stands for several is none of them:
// the id of the latest would be taken for that of the instance that all its calls are of.
func (h *host) name(f *output.HostFields, at time.Time) {
	if h.Key == otherHostsKey {
		return
	}
	h.place(f.Cloud.Region)
	later := at.Compare(h.Named)
	if later < 0 || later == 0 && f.Host.Hostname <= h.Hostname {
		return
	}
	h.Named = utc(at)
	if f.Host.Hostname != h.Hostname || f.Cloud.Instance.ID != h.Instance {
		h.Hostname, h.Instance = tidy(f.Host.Hostname), tidy(f.Cloud.Instance.ID)
	}
}

// place takes in a region. Entries from before it was known have none; an instance
// has but one, and if logs tell of several it is the same in whichever order.
func (h *host) place(region string) {
	if region > h.Region && output.IsRegion(region) {
		h.Region = region
	}
}

// title names the host for people.
func (h *host) title() string {
	switch {
	case h.Key == otherHostsKey:
		return "other hosts"
	case h.Hostname != "" && h.Instance != "":
		return h.Hostname + " (" + h.Instance + ")"
	}
	return cmp.Or(h.Hostname, h.Instance, h.Key, "host not told")
}

func (h *host) call(e *output.Entry) {
	h.name(&e.HostFields, e.Timestamp)
	n := callsOf(e)
	h.Calls.merge(n)
	h.Timeline.call(e.Timestamp, n)
	h.Seen.merge(spanOf(e))
	h.Options.call(e)
	h.Sessions.call(e)
	h.Periods.add(slotOf(e.Timestamp), tokenlessOf(e).times(e.Calls()))
}

func (h *host) lifecycle(l *output.Lifecycle) {
	h.name(&l.HostFields, l.Timestamp)
	h.Sessions.line(sessionOf(l))
}

func (h *host) merge(o *host) {
	h.rename(o)
	h.Calls.merge(o.Calls)
	h.Seen.merge(o.Seen)
	h.Options.merge(&o.Options)
	h.Periods.merge(&o.Periods)
	h.Timeline.merge(&o.Timeline)
	h.Sessions.merge(&o.Sessions)
}

// rename takes in the names that the same host has elsewhere.
func (h *host) rename(o *host) {
	if h.Key == otherHostsKey {
		return
	}
	if o.Named.After(h.Named) || o.Named.Equal(h.Named) && o.Hostname > h.Hostname {
		h.Hostname, h.Instance, h.Named = o.Hostname, o.Instance, o.Named
	}
	h.place(o.Region)
}

// state says that all that is known of the host is in a state.
func (h *host) state() {
	h.stated = true
	h.Sessions.Earlier.Counts.NotWritten = 0
	for i := range h.Sessions.Latest {
		s := &h.Sessions.Latest[i]
		s.stated, s.unlogged = true, s.Counts.NotWritten
	}
}
