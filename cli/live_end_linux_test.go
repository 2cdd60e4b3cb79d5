package cli_test

import (
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// Ended at once after the last answer, the program has written everything.
func TestLiveSignals(t *testing.T) {
	t.Parallel()
	for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := s.host.watch(t)
			calls := s.visits(t, curlOf(t))
			check(t, p.stop(t, signal), calls)
			if got, want := summarised(t, p.errors()), (counts{v1: 4, v2: 6}); got != want {
				t.Errorf("the summary counts %v, not %v", got, want)
			}
		})
	}
}

// What is on its way when the program ends is logged as far as it got.
func TestLiveEndInTheMiddle(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.service.follow(rules{tokenUnanswered: true})
	p := s.host.watch(t)
	unanswered, half := s.connect(t, service4), s.connect(t, service6)
	unanswered.send(t, "PUT /latest/api/token HTTP/1.1\r\nHost: "+service4.String()+"\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n")
	s.service.calls(t, 0, 1)
	half.send(t, "GET /latest/meta-data/half HTTP/1.1\r\nHost: half\r\n")
	entries := entriesOf(t, p.stop(t, os.Interrupt))
	if len(entries) != 2 {
		t.Fatalf("%d entries, not 2: %+v", len(entries), entries)
	}
	slices.SortFunc(entries, func(a, b liveEntry) int { return strings.Compare(b.method, a.method) })
	put, get := entries[0], entries[1]
	if put.call != s.service.log.soFar()[0] {
		t.Errorf("the token request that was not answered: %+v", put.call)
	}
	if get.target != "/latest/meta-data/half" || get.version != "unknown" || get.incomplete != "capture_end" || get.status != 0 {
		t.Errorf("half a request: %+v", get.call)
	}
	for _, e := range entries {
		if e.Process.PID != os.Getpid() {
			t.Errorf("%s is attributed to %d (%s)", e.method, e.Process.PID, e.IMDS.Attribution.Status)
		}
	}
}

// After as many calls as were asked for the program ends by itself, however
// many follow.
func TestLiveCount(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.host.watch(t, "--count", "3")
	calls := s.visits(t, curlOf(t))
	entries := entriesOf(t, p.finish(t, 0))
	checkSeen(t, entries, calls[:3])
}

func TestLiveDuration(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.host.watch(t, "--duration", "2s")
	s.connect(t, service4).get(t, "/latest/meta-data/ami-id")
	entries := entriesOf(t, p.finish(t, 0))
	if len(entries) != 1 || entries[0].call != s.service.log.soFar()[0] {
		t.Errorf("entries %+v", entries)
	}
}

// A call is in the log as soon as it is answered, not when the program ends.
func TestLiveEntriesComeMeanwhile(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	p := s.host.watch(t)
	c := s.connect(t, service4)
	for _, target := range []string{"/latest/meta-data/first", "/latest/meta-data/second"} {
		c.get(t, target)
		p.out.wait(t, "the entry of "+target, func(lines []string) bool {
			return strings.Contains(strings.Join(lines, ""), `"`+target+`"`)
		})
	}
	entriesOf(t, p.stop(t, os.Interrupt))
}
