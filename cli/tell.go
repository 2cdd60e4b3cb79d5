package cli

import (
	"os"
	"slices"
	"strings"

	"imds-analyzer/capture"
	"imds-analyzer/output"
)

// announce says what is captured and how processes are found.
func (s *session) announce() {
	s.log.session = s.describe()
	if s.options.live() {
		s.log.session.Limits = s.workingLimits()
		s.log.root = os.DirFS("/")
	}
	s.log.lifecycle(s.log.session.Start())
	if !s.options.live() {
		s.sayLimits()
		return
	}
	by := "no way to find processes"
	if len(s.log.session.Methods) > 0 {
		by = "processes are found by " + joinWords(s.log.session.Methods)
	}
	say(s.streams.Err, "capturing on %s, %s; Ctrl-C ends", strings.Join(s.options.interfaces, ", "), by)
	s.sayLimits()
}

// sayLimits says what does not work as it should.
func (s *session) sayLimits() {
	for _, limit := range s.workingLimits() {
		say(s.streams.Err, "%s", limit)
	}
}

// methodFailed says that the best way to find processes does not work any more, and has the log
// tell it.
func (s *session) methodFailed() {
	methods, limits, stats := s.resolver.Methods(), s.resolver.Limits(), s.stats()
	why := limits[len(limits)-1]
	say(s.streams.Err, "%s", why)
	s.join.lifecycle(func() { s.log.methodFailed(methods, why, stats) })
	s.tapFromNow()
}

// workingLimits are what does not work as it should.
func (s *session) workingLimits() []string { return slices.Concat(s.resolver.Limits(), s.limits) }

func joinWords[Word ~string](words []Word) string {
	var list []string
	for _, word := range words {
		list = append(list, string(word))
	}
	return strings.Join(list, ", ")
}

// describe is what stays the same while the capture runs.
func (s *session) describe() output.Session {
	if !s.options.live() {
		return output.Session{Interfaces: s.options.read, Started: s.started}
	}
	root := os.DirFS("/")
	return output.Session{
		Host:         output.ReadHost(root),
		Interfaces:   s.options.interfaces,
		Filter:       s.live[0].Filter(),
		Libpcap:      capture.LibpcapVersion(),
		Methods:      s.resolver.Methods(),
		Capabilities: capabilities(),
		Confined:     s.confined,
		BootID:       output.ReadBootID(root),
		Uptime:       output.ReadUptime(root),
		Started:      s.started,
	}
}

// lifecycle writes a line with the counts so far, behind the calls so far.
func (s *session) lifecycle(action output.LifecycleAction) {
	stats := s.stats()
	s.join.lifecycle(func() { s.log.progress(action, stats) })
}

// saveState saves the state with the counts so far, behind the calls so far.
func (s *session) saveState() {
	stats := s.stats()
	s.join.lifecycle(func() { s.log.saveState(stats) })
}

// stats are the capture's counts so far.
func (s *session) stats() output.CaptureStats {
	found := s.analyzer.Stats()
	stats := output.CaptureStats{
		Live:               s.options.live(),
		PacketsReceived:    found.Packets + s.sieve.PassedOver(),
		Segments:           found.Segments,
		NotRead:            countNotRead(found.NotRead),
		Connections:        found.Connections,
		NotHTTP:            found.NotHTTP,
		Evicted:            found.Evicted,
		HalfOpenDropped:    found.HalfOpenDropped,
		SegmentsIgnored:    found.SegmentsIgnored,
		RequestsPartial:    found.RequestsPartial,
		RequestGaps:        found.RequestGaps,
		ResponsesUnmatched: found.ResponsesUnmatched,
		RequestsCut:        found.RequestsCut,
		SnaplenNeeded:      found.SnaplenNeeded,
		Truncated:          s.truncated,
		EventsLost:         s.resolver.Stats().EventsLost,
		EndedEarly:         s.endedEarly || s.log.endedEarly(),
		EntriesNotWritten:  s.log.notWritten(),
		PacketsNotSaved:    s.packets.notSaved(),

		TellsWithoutPackets: s.resolver.Missing() != nil,
	}
	if !stats.Live {
		stats.FirstPacket, stats.LastPacket = found.First, found.Last
		stats.FilesLate, stats.DroppedByKernel = s.files.Late(), s.files.Drops()
	}
	s.addDrops(&stats)
	return stats
}

// addDrops adds what the kernel tells that it, or an interface, has dropped, also in the other
// network namespaces that were captured.
func (s *session) addDrops(stats *output.CaptureStats) {
	if len(s.kernel) < len(s.live) {
		s.kernel = make([]capture.LiveStats, len(s.live))
	}
	for i, source := range s.live {
		// What the kernel does not tell for once is what it told last: counts never go down.
		if kernel, err := source.Stats(); err == nil {
			s.kernel[i] = kernel
		}
		stats.DroppedByKernel += s.kernel[i].Dropped
		stats.DroppedByInterface += s.kernel[i].DroppedByInterface
	}
	stats.DroppedByKernel += s.unread // it drops them when the capture is closed
	if s.networks != nil {
		packets, opened := s.networks.stats()
		stats.DroppedByKernel += packets.Dropped
		stats.NetworkNamespaces = &opened
	}
}

// summarise prints the summary to standard error, unless nothing could be read
// or written: what went wrong was said. A report is one itself.
func (s *session) summarise(stats output.CaptureStats) {
	if s.options.receiver != nil || stats.PacketsReceived == stats.NotRead && len(s.problems) > 0 {
		return
	}
	if err := s.log.summary.Print(s.streams.Err, stats); err != nil {
		s.problems = append(s.problems, err)
	}
}
