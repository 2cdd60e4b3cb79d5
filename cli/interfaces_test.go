package cli

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/output"
)

// An interface that goes and comes without end is told of once at once, and then once a
// minute, and takes no more memory for it.
func TestFlappingInterface(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, said := interfaceSession()
		gone := interfaceChange{"eth0", errors.Join(capture.ErrGone, errors.New("x: disappeared"))}
		for range 1000 {
			s.interfaceChanged(gone)
			s.interfaceChanged(interfaceChange{name: "eth0"})
		}
		s.interfaceChanged(interfaceChange{"eth1", capture.ErrGone})
		want := []string{
			"capture on eth0 is interrupted: disappeared; it goes on when there is an interface of that name again",
			"eth0 is there again, and captured",
			"capture on eth1 is interrupted: " + causeOf(capture.ErrGone) + "; it goes on when there is an interface of that name again",
		}
		check := func(more ...string) {
			t.Helper()
			want = append(want, more...)
			if got := strings.Split(strings.TrimSpace(strings.ReplaceAll(said.String(), "imds-analyzer: ", "")), "\n"); !slices.Equal(got, want) {
				t.Errorf("it says %q, want %q", got, want)
			}
		}
		check()
		minute := func() {
			begun := time.Now()
			<-s.flaps.due
			if took := time.Since(begun); took != flapsEvery {
				t.Errorf("it is told after %s", took)
			}
			s.tellFlaps()
		}
		minute()
		check("capture on eth0 was interrupted 999 times more; it is there again, and captured")
		s.interfaceChanged(gone)
		check()
		minute()
		check("capture on eth0 was interrupted once more; it goes on when there is an interface of that name again")
		s.interfaceChanged(interfaceChange{name: "eth0"})
		minute()
		check("eth0 is there again, and captured")
		minute()
		if s.flaps.due != nil || len(s.flaps.list) > 0 || len(s.problems) != 1 || !s.truncated {
			t.Errorf("it keeps %+v and %d problems", s.flaps, len(s.problems))
		}
		s.interfaceChanged(gone)
		check(want[0])
	})
}

// Of what has changed when the capture is ended nothing is left out, whichever is seen first.
func TestInterfaceGoneAtTheEnd(t *testing.T) {
	for _, test := range []struct {
		name    string
		changes []error
		partial bool
		says    int // lines
	}{
		{"nothing", nil, false, 0},
		{"gone", []error{capture.ErrGone}, true, 1},
		{"gone and back", []error{capture.ErrGone, nil}, true, 2},
	} {
		s, said := interfaceSession()
		s.interfaces = newInterfaces()
		for _, change := range test.changes {
			s.interfaces.changed("eth0")(change)
		}
		s.drain(capture.NewFeed())
		if lines := strings.Count(said.String(), "\n"); s.truncated != test.partial || len(s.problems) > 0 != test.partial || lines != test.says {
			t.Errorf("%s: truncated %v, and it says %q", test.name, s.truncated, said)
		}
	}
}

func interfaceSession() (*session, *strings.Builder) {
	said, resolver := &strings.Builder{}, attribution.NewOffline()
	return &session{
		streams:  Streams{Err: said},
		analyzer: capture.NewAnalyzer(nil, capture.LiveLimits(), nil),
		resolver: resolver,
		join:     newJoin(resolver, nil),
		log:      &journal{summary: output.NewSummary()},
	}, said
}
