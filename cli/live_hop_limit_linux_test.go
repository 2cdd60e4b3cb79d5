package cli_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// hopLimits are those of an answer: as it was seen, and as it takes; 0 if they are
// not in the entry.
type hopLimits struct {
	TTL    int `json:"response_ttl"`
	Needed int `json:"response_ttl_needed"`
}

// hopLimitsOf are those of the calls in a log.
func hopLimitsOf(t *testing.T, log string) (limits []hopLimits) {
	t.Helper()
	lines := slices.Collect(strings.Lines(log))
	for _, line := range lines[1 : len(lines)-1] {
		var entry struct{ IMDS hopLimits }
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		limits = append(limits, entry.IMDS)
	}
	return limits
}

// A token with a hop limit of 1 does not come to a container behind a bridge, and
// the entry of the request for it says so, before those of the calls without it. One
// with 2 comes, as does one with 1 to the host itself.
//
// It does not run together with the others, as TestLiveContainer.
func TestLiveHopLimit(t *testing.T) {
	s := newSite(t)
	container := s.addContainer(t)
	for _, tt := range []struct {
		name     string
		from     *namespace
		hopLimit int
		version  string // of the calls that follow
		want     []hopLimits
	}{
		{"container", container, 1, "v1", []hopLimits{{1, 2}, {64, 0}, {64, 0}}},
		{"container with enough", container, 2, "v2", []hopLimits{{2, 0}, {64, 0}, {64, 0}}},
		{"host", s.host, 1, "v2", []hopLimits{{1, 0}, {64, 0}, {64, 0}}},
	} {
		for _, family := range families {
			t.Run(tt.name+" "+family.name, func(t *testing.T) {
				s.service.follow(rules{delay: lifeTime, tokenHopLimit: tt.hopLimit})
				saved := filepath.Join(t.TempDir(), "saved")
				p := s.host.watch(t, "-w", saved)
				calls := s.send(t, tt.from, curlOf(t), errand{service: family.service, withPUT: true, name: "hop-limit", giveUpAfter: "1"})
				for i := range calls {
					if tt.from == container {
						calls[i].source = containerSource(calls[i].call)
					}
					if want := []string{"v2", tt.version, tt.version}[i]; calls[i].version != want {
						t.Errorf("call %d is %s, not %s", i, calls[i].version, want)
					}
				}
				log := p.stop(t, os.Interrupt)
				check(t, log, calls)
				if got := hopLimitsOf(t, log); !slices.Equal(got, tt.want) {
					t.Errorf("got %v, want %v", got, tt.want)
				}
				if got := hopLimitsOf(t, run("-r", saved).out); !slices.Equal(got, tt.want) {
					t.Errorf("of the saved packets: got %v, want %v", got, tt.want)
				}
			})
		}
	}
}
