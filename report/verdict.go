package report

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Status is the verdict in a word.
type Status string

// The statuses.
const (
	Ready     Status = "ready"               // version 1 can be switched off
	NotReady  Status = "not_ready"           // something would break
	NotEnough Status = "not_enough_evidence" // nothing was seen that would, but too little was seen
)

// Statuses are all, the worst first.
func Statuses() []Status { return []Status{NotReady, NotEnough, Ready} }

// Compare puts the worse first.
func (s Status) Compare(o Status) int {
	return cmp.Compare(slices.Index(Statuses(), s), slices.Index(Statuses(), o))
}

// Verdict is whether version 1 can be switched off, and why.
type Verdict struct {
	Status Status `json:"status"`
	// Against is what would break, Missing what keeps silence from being evidence.
	Against []Item `json:"against,omitempty"`
	Missing []Item `json:"missing,omitempty"`
}

// Item is a reason of a verdict.
type Item struct {
	// ID is one of those in docs/report.md.
	ID string `json:"id"`
	// Count is of what the item is about, Hosts of how many hosts it holds.
	Count uint64 `json:"count,omitempty"`
	Hosts int    `json:"hosts,omitempty"`
	// Days is for how long the host was observed that was so for the least time.
	Days *float64 `json:"days,omitempty"`
	Text string   `json:"text"`
}

// The ids of items.
const (
	itemV1             = "v1_calls"
	itemRefused        = "v1_refused"
	itemNothing        = "nothing_observed"
	itemTime           = "observed_time"
	itemBoot           = "no_boot"
	itemDropped        = "packets_dropped"
	itemNotRead        = "packets_not_read"
	itemCut            = "requests_cut"
	itemPartial        = "requests_partial"
	itemGaps           = "request_gaps"
	itemNoSegments     = "no_segments"
	itemFilesLate      = "files_late"
	itemTruncated      = "truncated"
	itemWithoutPackets = "connections_without_packets"
	itemUnknown        = "unknown_calls"
	itemElsewhere      = "local_responder"
	itemNotLogged      = "calls_not_read"
	itemNotWritten     = "entries_not_written"
	itemPassedOver     = "sessions_left_out"
	itemOthers         = "other_hosts"
	itemMalformed      = "malformed_lines"
	itemEndedEarly     = "ended_early"
	itemNotHTTP        = "streams_not_http"
	itemUnmatched      = "responses_unmatched"
	itemEvicted        = "connections_evicted"
	itemHostNotTold    = "host_not_told"
	itemAlike          = "hosts_alike"
	itemFiles          = "files_passed_over"
	itemSilent         = "silent_instances"
	itemUnfinished     = "inventory_unfinished"
)

// judge is the verdict on one host. Sums are what its programs that are not ignored add up to.
func judge(h *host, seen *observation, sums inTheWay, o Options) Verdict {
	var v Verdict
	v.Against = counted(v.Against, itemV1, less(sums.blocking, sums.refused))
	v.Against = counted(v.Against, itemRefused, sums.refused)
	if h.Key == otherHostsKey { // what is known of several cannot be told apart
		v.Missing = append(v.Missing, Item{ID: itemOthers, Count: h.Calls.all(), Hosts: 1}) // also without calls
	} else {
		v.Missing = append(missingTime(h, seen, o), missingBoot(seen, o)...)
	}
	c := &seen.Counts
	v.Missing = counted(v.Missing, itemDropped, c.Dropped)
	v.Missing = counted(v.Missing, itemNotRead, c.NotRead)
	v.Missing = counted(v.Missing, itemCut, c.RequestsCut)
	v.Missing = counted(v.Missing, itemPartial, c.Partial)
	v.Missing = counted(v.Missing, itemGaps, c.Gaps)
	v.Missing = counted(v.Missing, itemNoSegments, c.NoSegments)
	v.Missing = counted(v.Missing, itemFilesLate, c.FilesLate)
	v.Missing = counted(v.Missing, itemTruncated, c.Truncated)
	v.Missing = counted(v.Missing, itemEndedEarly, c.EndedEarly)
	v.Missing = counted(v.Missing, itemNotHTTP, c.NotHTTP)
	v.Missing = counted(v.Missing, itemUnmatched, c.Unmatched)
	v.Missing = counted(v.Missing, itemEvicted, c.Evicted)
	v.Missing = counted(v.Missing, itemWithoutPackets, c.WithoutPackets)
	v.Missing = counted(v.Missing, itemUnknown, sums.unclear)
	v.Missing = counted(v.Missing, itemElsewhere, sums.elsewhere)
	v.Missing = counted(v.Missing, itemNotLogged, h.notRead(c))
	v.Missing = counted(v.Missing, itemNotWritten, c.NotWritten)
	if !h.stated { // a state's own earlier sessions are in many logs
		v.Missing = counted(v.Missing, itemPassedOver, h.Sessions.PassedOver)
	}
	if h.Key == "" && seen.Sessions > 1 {
		v.Missing = counted(v.Missing, itemHostNotTold, seen.Sessions)
	}
	if h.Key != "" && h.Instance == "" {
		v.Missing = counted(v.Missing, itemAlike, h.Sessions.besideOtherBoots())
	}
	v.decide()
	v.word(o)
	return v
}

func (v *Verdict) decide() {
	switch {
	case len(v.Against) > 0:
		v.Status = NotReady
	case len(v.Missing) > 0:
		v.Status = NotEnough
	default:
		v.Status = Ready
	}
}

// counted adds an item if there is something to count.
func counted(items []Item, id string, n uint64) []Item {
	if n == 0 {
		return items
	}
	return append(items, Item{ID: id, Count: n, Hosts: 1})
}

func (c *calls) all() uint64 { return sum(sum(c.V1, c.V2), c.Unknown) }

func missingTime(h *host, seen *observation, o Options) []Item {
	if days := inDays(seen.Time); days < o.MinDays || h.nothingSince(o.Since, seen) {
		return []Item{{ID: itemTime, Hosts: 1, Days: &days}}
	}
	return nil
}

func inDays(d time.Duration) float64 { return float64(d) / float64(24*time.Hour) }

func missingBoot(seen *observation, o Options) []Item {
	if seen.Boots.Count > 0 || o.NoBoot {
		return nil
	}
	return []Item{{ID: itemBoot, Hosts: 1}}
}

// judgeAll is the verdict on all hosts.
func judgeAll(r *Report, o Options) Verdict {
	var v Verdict
	for _, h := range r.Hosts {
		v.Against = addItems(v.Against, h.Verdict.Against)
		v.Missing = addItems(v.Missing, h.Verdict.Missing)
	}
	if len(r.Hosts) == 0 {
		v.Missing = append(v.Missing, Item{ID: itemNothing})
	}
	v.Missing = append(v.Missing, r.Inventory.missing()...)
	v.Missing = counted(v.Missing, itemMalformed, r.Inputs.Malformed)
	v.Missing = counted(v.Missing, itemFiles, r.Inputs.PassedOver)
	v.decide()
	v.word(o)
	return v
}

// addItems puts together what is said of several hosts.
func addItems(all, more []Item) []Item {
	for _, item := range more {
		at := slices.IndexFunc(all, func(i Item) bool { return i.ID == item.ID })
		if at < 0 {
			all = append(all, item)
			continue
		}
		all[at].Count = sum(all[at].Count, item.Count)
		all[at].Hosts += item.Hosts
		if item.Days != nil && *item.Days < *all[at].Days {
			all[at].Days = item.Days
		}
	}
	return all
}

// word gives the items their order and their texts.
func (v *Verdict) word(o Options) {
	for _, items := range [][]Item{v.Against, v.Missing} {
		slices.SortFunc(items, func(a, b Item) int { return cmp.Compare(place(a.ID), place(b.ID)) })
		for i := range items {
			items[i].Text = items[i].text(o)
		}
	}
}

// itemOrder is the order in which items are told, the gravest first.
func itemOrder() []string {
	return []string{
		itemV1, itemRefused, itemNothing, itemSilent, itemUnfinished, itemNoSegments, itemTime, itemBoot, itemUnknown, itemElsewhere, itemDropped, itemNotRead, itemCut,
		itemPartial, itemGaps, itemFilesLate, itemTruncated, itemEndedEarly, itemNotHTTP, itemUnmatched, itemEvicted, itemWithoutPackets, itemNotLogged, itemNotWritten, itemPassedOver, itemHostNotTold, itemAlike, itemOthers, itemMalformed, itemFiles,
	}
}

func place(id string) int { return slices.Index(itemOrder(), id) }

func (i *Item) text(o Options) string {
	on := ""
	if i.Hosts > 1 {
		on = fmt.Sprintf(" on %d hosts", i.Hosts)
	}
	switch i.ID {
	case itemNothing:
		return "nothing was observed: there is no call, and no line that tells of a capture"
	case itemTime:
		return i.timeText(o, on)
	case itemBoot:
		return "no boot was observed" + SinceText(o.Since) + on + ": start the analyzer with the system, and reboot, or stop and start the instance"
	case itemFiles:
		return plural(i.Count, "file", "files") + " in directories not read, as what they hold is not known"
	case itemOthers:
		return fmt.Sprintf("hosts beyond the %d that are told apart, with %s: make several reports", maxHosts, plural(i.Count, "call", "calls"))
	}
	words := countedItems()[i.ID]
	return plural(i.Count, words.one, words.many) + on + words.behind
}

// countedItem says what an item counts, of one and of many, and what is said behind the hosts.
type countedItem struct{ one, many, behind string }

func countedItems() map[string]countedItem {
	return map[string]countedItem{
		itemV1:             {"call", "calls", " succeeded without a token, or would have"},
		itemRefused:        {"call", "calls", " refused with 401, as IMDSv1 was off: what makes such calls fails, or does without"},
		itemUnknown:        {"call", "calls", " could not be classified"},
		itemElsewhere:      {"call", "calls", " got an answer from another service: whether version 1 reaches the metadata service behind it cannot be seen"},
		itemDropped:        {"packet", "packets", " dropped"},
		itemNotRead:        {"packet", "packets", " not read for the link type"},
		itemCut:            {"packet of a request", "packets of requests", " cut by the snaplen"},
		itemPartial:        {"fragmented packet to the service lacks a fragment", "fragmented packets to the service lack a fragment", ""},
		itemNoSegments:     {"capture holds", "captures hold", " no packet to or from the metadata service, so that nothing shows that one would be there"},
		itemGaps:           {"gap in what a client sent may hide requests", "gaps in what clients sent may hide requests", ""},
		itemFilesLate:      {"file was", "files were", " read behind others of their time"},
		itemTruncated:      {"capture", "captures", " not read to the end"},
		itemEndedEarly:     {"capture", "captures", " ended before the input did"},
		itemNotHTTP:        {"connection carries", "connections carry", " something other than HTTP/1"},
		itemUnmatched:      {"answer", "answers", " to requests that were not captured"},
		itemEvicted:        {"connection", "connections", " given up for lack of room"},
		itemWithoutPackets: {"connection", "connections", " made whose packets were not captured"},
		itemNotLogged:      {"call", "calls", " of version 1 or unknown counted by captures, but in no log that was read"},
		itemNotWritten:     {"entry", "entries", " missing from logs that could not be written"},
		itemPassedOver:     {"line", "lines", " of earlier captures passed over: there were too many captures"},
		itemHostNotTold:    {"capture", "captures", " without the name of a host: whether they are of one is not known"},
		itemAlike:          {"capture ran", "captures ran", " while one on another boot did: several hosts have the same /etc/machine-id, and are taken for one"},
		itemSilent:         {"instance is silent: nothing that was read is of it", "instances are silent: nothing that was read is of them", ", and silent is not ready"},
		itemUnfinished:     {"page of a list of instances has a NextToken, and the next page was not read", "pages of lists of instances have a NextToken, and the next pages were not read", ": more instances may be silent"},
		itemMalformed:      {"line of a log", "lines of logs", " could not be read"},
	}
}

func (i *Item) timeText(o Options, on string) string {
	since, all := SinceText(o.Since), DaysText(o.MinDays)
	if o.MinDays == 0 {
		return "nothing was observed" + since + on
	}
	days := DaysText(*i.Days)
	if days == all { // by the figures that are shown
		days = "almost " + days
	}
	if i.Hosts > 1 {
		return fmt.Sprintf("%d hosts were observed for less than %s%s, one of them for %s", i.Hosts, all, since, days)
	}
	return fmt.Sprintf("observed for %s%s, which is less than %s", days, since, all)
}

func plural(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// DaysText is a time in the unit that suits it.
func DaysText(days float64) string {
	hours := days * 24
	switch {
	case days == 0:
		return "no time"
	case days == 1:
		return "1 day"
	case hours >= 48 || days == float64(int(days)) && days > 0:
		return fmt.Sprintf("%.4g days", days)
	case hours >= 1:
		return fmt.Sprintf("%.1f hours", hours)
	}
	return plural(uint64(hours*60+0.5), "minute", "minutes")
}
