//go:build soak

package cli_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// soakLife is what is read of a line about the capture.
type soakLife struct {
	Event struct{ Action string }
	IMDS  struct {
		Capture struct {
			V1      int `json:"calls_v1"`
			V2      int `json:"calls_v2"`
			Unknown int `json:"calls_unknown"`

			Kernel     int `json:"packets_dropped_kernel"`
			Interface  int `json:"packets_dropped_interface"`
			NotRead    int `json:"packets_not_read"`
			Resolved   int `json:"attribution_resolved"`
			Missed     int `json:"attribution_missed"`
			Unmatched  int `json:"responses_unmatched"`
			Evicted    int `json:"connections_evicted"`
			Gaps       int `json:"request_gaps"`
			Partial    int `json:"requests_partial"`
			NotHTTP    int `json:"streams_not_http"`
			Without    int `json:"connections_without_packets"`
			NotWritten int `json:"entries_not_written"`
			EventsLost int `json:"events_lost"`
		}
	}
}

// lives are the lines of the log about the capture.
func (s *soak) lives(t *testing.T) (lives []soakLife) {
	t.Helper()
	for _, text := range s.others {
		var l soakLife
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		lives = append(lives, l)
	}
	return lives
}

// checkEnd makes sure that the log has one start and one end, that its counts never go down, and that at the
// end they are those of the calls, of which nothing was lost.
func (s *soak) checkEnd(t *testing.T, want soakCalls) {
	t.Helper()
	actions := map[string]int{}
	var end soakLife
	for _, l := range s.lives(t) {
		actions[l.Event.Action]++
		if l.Event.Action == "capture-stopped" {
			end = l
		}
	}
	if actions["capture-started"] != 1 || actions["capture-stopped"] != 1 || actions["capture-stats"] == 0 || len(actions) != 3 {
		t.Errorf("the log has lines %v", actions)
	}
	c := end.IMDS.Capture
	got := soakCalls{c.V1, c.V2, c.Unknown}
	if got != want {
		t.Errorf("the capture's last line has %+v, and %+v were made", got, want)
	}
	if c.Resolved != want.sum() || c.Kernel+c.Interface+c.NotRead+c.Missed+c.Unmatched+c.Evicted+c.Gaps+c.Partial+c.NotHTTP+c.Without+c.NotWritten > 0 {
		t.Errorf("the capture's last line has %+v", c)
	}
	s.counts("the capture's last line", got.sum())
	s.eventsLost = c.EventsLost
}

// print writes the table of docs/performance.md.
func (s *soak) print(took time.Duration) {
	r, settled := s.reckoning, s.settled()
	first, last := settled[0], settled[len(settled)-1]
	_, hourly := growth(settled, resident)
	const mib = 1 << 20
	row := func(what, format string, values ...any) {
		fmt.Printf("| %s | %s |\n", what, fmt.Sprintf(format, values...))
	}
	fmt.Printf("| in %v | |\n| --- | --- |\n", took.Round(time.Second))
	row("calls", "%d: %d v1, %d v2, %d unknown; %.0f a second", r.total(), r.versions.v1, r.versions.v2, r.versions.unknown, float64(r.total())/took.Seconds())
	var counted []string
	for _, c := range s.counted {
		counted = append(counted, fmt.Sprintf("%s %d", c.where, c.calls))
	}
	row("calls in", "%s", strings.Join(counted, ", "))
	row("process found", "%d; right %d, of which %d without executable, and %d without the container", r.found, r.right, r.withoutExe, r.withoutContainer)
	row("events lost", "%d", s.eventsLost)
	row("containers by podman and runc; behind a bridge; with a network of their own", "%d; %d; %d", s.count.containers, s.count.bridged, s.count.hidden)
	row("pairs of interfaces that came, and of which one was renamed, and vanished", "%d", s.count.interfaces)
	row("stops of 50 to 300 ms", "%d", s.count.stops)
	row("rotations by others; by the program", "%d; %d", s.count.hangups, s.count.rotations)
	row("reports; metrics read", "%d; %d", s.reported, s.count.scrapes)
	row("resident memory after the warm-up; at the end; slope", "%.1f MiB; %.1f MiB; %+.1f MiB an hour", first.resident/mib, last.resident/mib, hourly/mib)
	row("descriptors after the warm-up; at the end", "%d; %d", first.descriptors, last.descriptors)
	row("threads", "%d; %d", first.threads, last.threads)
	row("mappings", "%d; %d", first.mapped, last.mapped)
	row("goroutines at the beginning; at the end", "%d; %d (in %d and %d namespaces)", s.atFirst, s.goroutines, s.networksBefore, s.networks)
	var clients []string
	for _, name := range r.clients() {
		clients = append(clients, fmt.Sprintf("%s %d", name, r.byClient[name]))
	}
	row("calls by client", "%s", strings.Join(clients, ", "))
}
