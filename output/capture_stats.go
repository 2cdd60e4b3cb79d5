package output

import (
	"fmt"
	"strings"
	"time"

	"imds-analyzer/imds"
)

// CaptureStats is what the summary says of the capture itself.
type CaptureStats struct {
	// Live is true for packets from interfaces.
	Live bool
	// FirstPacket and LastPacket are the times between which the packets of files lie,
	// to the second; zero if live.
	FirstPacket, LastPacket time.Time
	// PacketsReceived is the number of packets, Segments that of TCP segments
	// to and from the metadata service among them.
	PacketsReceived, Segments uint64
	// NotRead is the number of packets whose link type is not known.
	NotRead uint64
	// DroppedByKernel are packets that there was no room for, and
	// DroppedByInterface those that the network interface or its driver lost
	// (pcap_stats(3PCAP)). Of files the former are all that they say were lost when they
	// were written, as pcapng can; that none are is no proof that none were.
	DroppedByKernel, DroppedByInterface uint64
	// Connections is the number of connections, NotHTTP of those that carry
	// something other than HTTP/1, Evicted of those that were given up because
	// there were too many.
	Connections, NotHTTP, Evicted uint64
	// HalfOpenDropped are connections of which only the beginning of a handshake was
	// seen, and that were forgotten because there were too many. No call is lost by it.
	HalfOpenDropped uint64
	// SegmentsIgnored are segments that their receiver would not have taken, RequestsPartial
	// those of them to the service that came in fragments of which one is missing.
	SegmentsIgnored, RequestsPartial uint64
	// RequestGaps are runs of bytes that clients have sent and that were not captured: there
	// may be requests among them of which nothing else tells.
	RequestGaps uint64
	// ResponsesUnmatched are responses whose requests were not captured.
	ResponsesUnmatched uint64
	// RequestsCut is the number of packets that the snaplen has cut where they
	// may hold a request, before it told its version; SnaplenNeeded is the
	// snaplen in bytes that would have held them all.
	RequestsCut   uint64
	SnaplenNeeded int
	// EventsLost is the number of the kernel's events on processes and their
	// connections that could not be followed: a process may not be known.
	EventsLost uint64
	// NetworkNamespaces is the number of network namespaces that were captured
	// besides the program's own, nil if it captures in that alone.
	NetworkNamespaces *uint64
	// TellsWithoutPackets is true if the kernel tells of connections whose
	// packets are not captured.
	TellsWithoutPackets bool
	// Truncated is true if the input ended before its end, was damaged, or was in
	// part no capture.
	Truncated bool
	// FilesLate is the number of files that were read behind others of their time, as there
	// were too many or they took too much memory: connections of which several have a part
	// may not be put together.
	FilesLate uint64
	// EndedEarly is true if reading was ended before the input ended, as by a
	// number of calls that was reached.
	EndedEarly bool
	// EntriesNotWritten are those that are missing from the log, because it could not be
	// written.
	EntriesNotWritten uint64
	// PacketsNotSaved are those that are missing from the file that packets are saved to,
	// as it could not be written, was deleted, or has no room for such packets.
	PacketsNotSaved uint64
}

// verdict says in a sentence whether calls may be missing from the log.
func (c *CaptureStats) verdict(s *Summary) string {
	if c.Segments == 0 && s.Calls() == 0 && !c.lost() && !c.EndedEarly && s.withoutPackets == 0 {
		return "No packet to or from the metadata service was seen, so there is nothing to judge." + c.whyNothing()
	}
	doubts := c.doubts(s)
	switch {
	case len(doubts) > 0 && s.v1 == 0:
		return "That no IMDSv1 call is listed proves nothing: " + join(doubts) + "."
	case len(doubts) > 0:
		return "There may be more IMDSv1 calls than these: " + join(doubts) + "."
	case s.v1 == 0:
		return c.all() + "no IMDSv1 call was made where and while this capture ran."
	}
	return c.all() + "these are all IMDSv1 calls made where and while this capture ran."
}

// whyNothing is where to look if calls were expected: who sees none often looks in another place.
func (c *CaptureStats) whyNothing() string {
	switch {
	case c.Live:
		return " In a container that does not have the host's network only its own calls pass; imds-analyzer selftest says whether the capture works here."
	case c.PacketsReceived > 0:
		return " If the service has another address there, --endpoint names it."
	}
	return ""
}

// all says that all calls are counted here, if not all of them are in the log.
func (c *CaptureStats) all() string {
	if c.EntriesNotWritten > 0 {
		return "The log lacks entries, but every call was counted here and classified: "
	}
	return "Nothing was lost and every call was classified: "
}

// lost reports whether anything is known to be missing. Counts are not added up: a file can say
// that as many packets were dropped as there is room for.
func (c *CaptureStats) lost() bool {
	return max(c.DroppedByKernel, c.DroppedByInterface, c.NotRead, c.RequestsCut, c.RequestsPartial, c.RequestGaps) > 0 || c.Truncated
}

// doubts are the reasons why a call of version 1 may not be in the log.
func (c *CaptureStats) doubts(s *Summary) []string {
	var doubts []string
	doubt := func(n uint64, one, many string) {
		if n > 0 {
			doubts = append(doubts, counted(n, one, many))
		}
	}
	doubt(c.DroppedByKernel+c.DroppedByInterface, "packet was dropped", "packets were dropped")
	doubt(c.NotRead, "packet has a link type that is not read", "packets have a link type that is not read")
	if c.Truncated && c.Live {
		doubts = append(doubts, "an interface could not be captured to the end")
	} else if c.Truncated {
		doubts = append(doubts, "not all of the input could be read")
	}
	doubt(c.FilesLate, "file was read behind others of its time", "files were read behind others of their time")
	if c.EndedEarly {
		doubts = append(doubts, "reading ended before the input did")
	}
	doubt(s.withoutPackets, "connection was made whose packets were not captured", "connections were made whose packets were not captured")
	doubt(s.unknown, "call could not be classified", "calls could not be classified")
	if c.RequestsCut > s.incomplete[imds.Snaplen.String()] { // else each is a call that is unknown
		doubt(c.RequestsCut, "packet of a request was cut by the snaplen", "packets of requests were cut by the snaplen")
	}
	doubt(c.RequestsPartial, "fragmented packet to the service lacks a fragment", "fragmented packets to the service lack a fragment")
	doubt(c.NotHTTP, "connection carries something other than HTTP/1", "connections carry something other than HTTP/1")
	doubt(c.RequestGaps, "gap in what a client sent may hide requests", "gaps in what clients sent may hide requests")
	doubt(c.Evicted, "connection was given up for lack of room", "connections were given up for lack of room")
	doubt(c.ResponsesUnmatched, "answer belongs to a request that was not captured", "answers belong to requests that were not captured")
	return doubts
}

func counted(n uint64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// join makes "a, b and c" of its parts.
func join(parts []string) string {
	last := len(parts) - 1
	if last < 1 {
		return strings.Join(parts, "")
	}
	return strings.Join(parts[:last], ", ") + " and " + parts[last]
}
