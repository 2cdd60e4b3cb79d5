package output

import (
	"fmt"
	"strings"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

// LifecycleAction is what a lifecycle entry reports of a capture.
type LifecycleAction string

// The actions, in the words of the log entry.
const (
	CaptureStarted LifecycleAction = "capture-started"
	CaptureRuns    LifecycleAction = "capture-stats"
	CaptureStopped LifecycleAction = "capture-stopped"
	// LogGap stands where lines are missing from the log.
	LogGap LifecycleAction = "capture-log-gap"
)

// Session is what lifecycle entries say of a capture besides counts. Fields whose
// value is not known are empty.
type Session struct {
	Host       Host
	Interfaces []string
	Filter     string // in the words of pcap-filter(7)
	Libpcap    string // version
	Methods    []attribution.Method
	// Capabilities are those of the process, in the words of capabilities(7).
	Capabilities []string
	// Confined is what the process has given up: no_core_dumps, no_new_privs, seccomp,
	// no_exec.
	Confined []string
	// Limits are what does not work as it should, in the words that people are told.
	Limits []string
	BootID string
	Uptime uint64 // of the host at the start, in seconds
	// Started has the reading of the monotonic clock with it, as time.Now gives it: that
	// tells how long the capture has run, whatever becomes of the wall clock.
	Started time.Time
	// FirstPacket and LastPacket are the times between which the packets so far lie.
	FirstPacket, LastPacket time.Time
}

// Start returns the entry of the capture's start.
func (s *Session) Start() Lifecycle {
	l := s.entry(CaptureStarted, s.Started)
	l.Host.Uptime = s.Uptime
	l.IMDS.Capture.Limits = s.Limits
	l.Message = "capture started on " + orUnknown(strings.Join(l.IMDS.Capture.Interfaces, ", "))
	if s.Filter != "" { // live: a file has no process to find
		l.Message += ", attribution by " + orNothing(strings.Join(l.IMDS.Capture.AttributionMethods, ", "))
	}
	return l
}

// Progress returns an entry with the counts so far: CaptureRuns at an
// interval, CaptureStopped at the end.
func (s *Session) Progress(action LifecycleAction, at time.Time, c Counts) Lifecycle {
	l := s.entry(action, at)
	l.IMDS.Capture.Counts = &c
	dropped := c.PacketsDroppedKernel + c.PacketsDroppedInterface
	missing := c.ConnectionsWithoutPackets != nil && *c.ConnectionsWithoutPackets > 0
	if max(dropped, c.PacketsNotRead, c.RequestsPartial, c.RequestGaps, c.FilesLate) > 0 || missing || c.RequestsCut != nil || c.Truncated {
		l.LogLevel = levelWarning
	}
	verb := "runs"
	if action == CaptureStopped {
		verb = "stopped"
	}
	l.Message = fmt.Sprintf("capture %s: %d v1, %d v2 and %d unknown calls, %d packets received, %d dropped",
		verb, c.CallsV1, c.CallsV2, c.CallsUnknown, c.PacketsReceived, dropped)
	if c.PacketsNotRead > 0 {
		l.Message += fmt.Sprintf(", %d not read", c.PacketsNotRead)
	}
	if c.CallsOverRate > 0 {
		l.Message += fmt.Sprintf(", %d calls told together", c.CallsOverRate)
	}
	if c.Truncated {
		l.Message += ", not all of the input read"
	}
	if c.RequestsCut != nil {
		l.Message += fmt.Sprintf(", %d cut by the snaplen", *c.RequestsCut)
	}
	if missing {
		l.Message += ", " + counted(*c.ConnectionsWithoutPackets, "connection", "connections") + " not captured"
	}
	return l
}

// Gap returns the entry that stands where entries are missing from the log, with how
// many are since the capture's start. Of the counts so far it has those of calls.
func (s *Session) Gap(at time.Time, notWritten uint64, c Counts) Lifecycle {
	l := s.entry(LogGap, at)
	l.IMDS.Capture.Counts = &Counts{CallsV1: c.CallsV1, CallsV2: c.CallsV2, CallsUnknown: c.CallsUnknown}
	l.Message = "the log has a gap"
	l.NotWritten(notWritten)
	return l
}

// NotWritten has the entry say how many are missing from the log so far.
func (l *Lifecycle) NotWritten(entries uint64) {
	if l.IMDS.Capture.EntriesNotWritten = entries; entries == 0 {
		return
	}
	l.LogLevel = levelWarning
	l.Message += ", " + counted(entries, "entry", "entries") + " not written"
}

// AppendLine appends the entry's line of the log, with its line feed.
func (l *Lifecycle) AppendLine(line []byte) []byte { return append(appendLifecycle(line, l), '\n') }

func (s *Session) entry(action LifecycleAction, at time.Time) Lifecycle {
	l := Lifecycle{
		Timestamp:  timestamp(at),
		LogLevel:   levelInfo,
		ECS:        ECS{Version: ecsVersion},
		Event:      lifecycleEvent(action),
		IMDS:       LifecycleIMDS{Capture: s.capture()},
		HostFields: s.Host.fields(),
	}
	if s.Filter != "" && action != CaptureStarted { // live
		l.IMDS.Capture.Elapsed = new(uint64(max(0, at.Sub(s.Started)) / time.Second))
	}
	return l
}

func lifecycleEvent(action LifecycleAction) Event {
	e := Event{
		Kind:     "event",
		Category: [...]string{"network"},
		Type:     [...]string{"info"},
		Module:   "imds",
		Dataset:  DatasetCapture,
		Action:   string(action),
	}
	switch action {
	case CaptureStarted:
		e.Type[0] = "start"
	case CaptureStopped:
		e.Type[0] = "end"
	}
	return e
}

func (s *Session) capture() Capture {
	c := Capture{
		Interfaces:   cleanNames(s.Interfaces),
		Filter:       s.Filter,
		Libpcap:      s.Libpcap,
		Capabilities: s.Capabilities,
		Confined:     s.Confined,
		BootID:       s.BootID,
		Started:      timestamp(s.Started),
		FirstPacket:  timestamp(s.FirstPacket),
		LastPacket:   timestamp(s.LastPacket),
	}
	for _, m := range s.Methods {
		c.AttributionMethods = append(c.AttributionMethods, string(m))
	}
	return c
}

// cleanNames redacts names of files: what was fetched from a signed URL is often called like that.
func cleanNames(names []string) (clean []string) {
	for _, name := range names {
		clean = append(clean, imds.Redact(name))
	}
	return clean
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown interfaces"
	}
	return s
}

func orNothing(s string) string {
	if s == "" {
		return "no method"
	}
	return s
}
