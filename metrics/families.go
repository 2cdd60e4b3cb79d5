package metrics

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"imds-analyzer/output"
)

// Capture is what the text says of a capture besides the Counters.
type Capture struct {
	// Up is false in what is written last.
	Up                 bool
	Version, GoVersion string
	Started            time.Time
	// LastPacket is when the latest packet was captured; zero if none was.
	LastPacket time.Time
	// ResidentMemory is in bytes, 0 if it is not known.
	ResidentMemory uint64
	// Counts are those of the log's lines about the capture.
	Counts output.Counts
	// EntriesNotWritten are missing from the log, LogErrors is how often writing to it has
	// failed, and CallsFolded how many calls have no entry of their own.
	EntriesNotWritten, LogErrors, CallsFolded uint64
}

// AppendText appends all counts in the text format of Prometheus.
func (c *Counters) AppendText(out []byte, now *Capture) []byte {
	t := &text{out: out}
	now.state(t)
	c.callFamilies(t)
	c.attribution(t)
	now.packets(t)
	now.log(t)
	return t.out
}

// state is how the program is.
func (now *Capture) state(t *text) {
	t.family("up", gauge, "1 while the capture runs, 0 in what it wrote at its end.")
	t.count(truth(now.Up))
	t.family("build_info", gauge, "Always 1, with what the program was built from.")
	t.count(1, "version", now.Version, "goversion", now.GoVersion)
	t.family("start_time_seconds", gauge, "When the capture started, in seconds since 1970.")
	t.seconds(now.Started.UnixMilli())
	if !now.LastPacket.IsZero() {
		t.family("last_packet_time_seconds", gauge, "When the latest packet to or from the metadata service was captured, in seconds since 1970.")
		t.seconds(now.LastPacket.UnixMilli())
	}
	if now.ResidentMemory > 0 {
		t.family("resident_memory_bytes", gauge, "Memory of the program that is resident.")
		t.count(now.ResidentMemory)
	}
}

func truth(b bool) uint64 {
	if b {
		return 1
	}
	return 0
}

// callFamilies are what calls were made, and by which programs.
func (c *Counters) callFamilies(t *text) {
	t.family("calls_total", counter, "Calls to the metadata service by version and status of the answer; of a status that the service is not known for its class.")
	for _, k := range slices.SortedFunc(maps.Keys(c.calls), callKind.compare) {
		t.count(c.calls[k], "version", k.version, "status", k.status)
	}
	t.family("metadata_no_token_total", counter, "Calls of version 1 that were answered, as MetadataNoToken of CloudWatch; without those that were answered 404.")
	t.count(c.tokenless[output.TokenlessAnswered])
	t.family("metadata_no_token_not_found_total", counter, "Calls of version 1 that were answered 404: whether MetadataNoToken counts them is not documented.")
	t.count(c.tokenless[output.TokenlessNotFound])
	t.family("metadata_no_token_rejected_total", counter, "Calls of version 1 that were refused with 401, as MetadataNoTokenRejected of CloudWatch.")
	t.count(c.tokenless[output.TokenlessRefused])
	t.family("credentials_v1_total", counter, "Calls of version 1 that got credentials of a role.")
	t.count(c.credentials)
	t.family("v1_calls_by_program_total", counter, "Calls of version 1 by executable and script; other are programs beyond the first 64, unknown those not found.")
	c.programs.write(t)
}

func (k callKind) compare(o callKind) int {
	return cmp.Or(strings.Compare(k.version, o.version), strings.Compare(k.status, o.status))
}

func (p *programs) write(t *text) {
	for _, name := range slices.Sorted(maps.Keys(p.counts)) {
		t.count(p.counts[name], "program", name)
	}
	t.count(p.other, "program", programOther)
	t.count(p.unknown, "program", programUnknown)
}

func (c *Counters) attribution(t *text) {
	t.family("attribution_total", counter, "Calls by how the search for their process went, and by the way that found it.")
	for _, a := range slices.SortedFunc(maps.Keys(c.attributed), attributed.compare) {
		t.count(c.attributed[a], "status", a.status, "method", cmp.Or(a.method, "none"))
	}
}

func (a attributed) compare(o attributed) int {
	return cmp.Or(strings.Compare(a.status, o.status), strings.Compare(a.method, o.method))
}

// packets are what was captured, and what was not.
func (now *Capture) packets(t *text) {
	counts := &now.Counts
	t.family("packets_received_total", counter, "Packets that passed the filter.")
	t.count(counts.PacketsReceived)
	t.family("packets_dropped_total", counter, "Packets that were lost for lack of room (kernel), or by the interface: calls may be missing.")
	t.count(counts.PacketsDroppedKernel, "by", "kernel")
	t.count(counts.PacketsDroppedInterface, "by", "interface")
	t.single("packets_not_read_total", "Packets of a link type that is not known: calls may be missing.", counts.PacketsNotRead)
	t.single("streams_not_http_total", "Connections that carry something other than HTTP/1.", counts.StreamsNotHTTP)
	t.single("request_gaps_total", "Places where bytes that clients have sent were not captured: calls may be missing.", counts.RequestGaps)
	t.single("requests_partial_total", "Packets to the service that came in fragments of which one is missing: calls may be missing.", counts.RequestsPartial)
	t.single("responses_unmatched_total", "Answers whose requests were not captured.", counts.ResponsesUnmatched)
	t.single("connections_evicted_total", "Connections that were given up because there were too many.", counts.ConnectionsEvicted)
	t.single("events_lost_total", "Events of the kernel on processes and connections that could not be followed.", counts.EventsLost)
	t.known("connections_without_packets_total", "Connections that the kernel told of and whose packets were not captured: calls are missing.", counts.ConnectionsWithoutPackets)
	t.known("network_namespaces_total", "Network namespaces of containers that were captured besides the program's own.", counts.NetworkNamespaces)
	t.family("truncated", gauge, "1 if an interface was not there all the time, or could not be captured to the end.")
	t.count(truth(counts.Truncated))
}

// log is what is missing from the log.
func (now *Capture) log(t *text) {
	t.single("log_entries_not_written_total", "Entries that are missing from the log.", now.EntriesNotWritten)
	t.single("log_write_errors_total", "How often writing to the log has failed; what was to be written is kept and tried again.", now.LogErrors)
	t.single("packets_not_saved_total", "Packets that are missing from the file that packets are saved to.", now.Counts.PacketsNotSaved)
	t.single("calls_folded_total", "Calls that an entry for several calls tells of, or will.", now.CallsFolded)
	t.single("calls_program_not_told_total", "Those of these whose programs may have no entry of their own.", now.Counts.CallsProgramNotTold)
	t.known("enrich_failed_total", "Calls without labels because the command failed, took too long, or could not be run.", now.Counts.EnrichFailed)
}

// single is a family of one counter.
func (t *text) single(name, help string, value uint64) {
	t.family(name, counter, help)
	t.count(value)
}

// known is single for what may not be known.
func (t *text) known(name, help string, value *uint64) {
	if value != nil {
		t.single(name, help, *value)
	}
}
