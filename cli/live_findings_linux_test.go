package cli_test

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"
)

// liveFinding is what the entry of a call says of why it was made.
type liveFinding struct {
	Findings []string
	Fallback struct {
		Reason     string
		StatusCode int `json:"status_code"`
		Evidence   string
	}
}

// fallback is the finding of that kind, with its evidence; empty if there is none.
func (f *liveFinding) fallback() string {
	i := slices.IndexFunc(f.Findings, func(id string) bool { return strings.HasPrefix(id, "fallback-") })
	if i < 0 {
		return ""
	}
	return f.Findings[i] + " by " + f.Fallback.Evidence
}

// liveFindings are those of the calls in a log, by the client's port and in order.
func liveFindings(t *testing.T, log string) map[uint16][]liveFinding {
	t.Helper()
	found := map[uint16][]liveFinding{}
	lines := slices.Collect(strings.Lines(log))
	for _, line := range lines[1 : len(lines)-1] {
		var entry struct {
			Source struct{ Port uint16 }
			IMDS   liveFinding
		}
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatal(err)
		}
		found[entry.Source.Port] = append(found[entry.Source.Port], entry.IMDS)
	}
	return found
}

// Whatever a client is written in: where its token request is refused, its calls without
// a token are fallbacks, also on other connections and, of a script, by other processes.
// The next run of the same program that asks for none calls by itself.
func TestLiveFallbacks(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.service.follow(rules{delay: lifeTime, tokenRefused: true})
	for _, c := range newClients(t) {
		t.Run(c.name, func(t *testing.T) {
			p := s.host.watch(t)
			asked := s.send(t, s.host, c, errand{service: service4, withPUT: true, name: "asked", giveUpAfter: "20"})
			byItself := s.send(t, s.host, c, errand{service: service4, name: "by-itself", giveUpAfter: "20"})
			found := liveFindings(t, p.stop(t, os.Interrupt))
			next := func(m made) (f liveFinding) {
				port := m.source.Port()
				if len(found[port]) == 0 {
					t.Fatalf("%+v is not in the log", m)
				}
				f, found[port] = found[port][0], found[port][1:]
				return f
			}
			if put := next(asked[0]); !slices.Equal(put.Findings, []string{"token-refused"}) {
				t.Errorf("the token request: %v", put.Findings)
			}
			tie := "process"
			if asked[0].pid != asked[1].pid {
				tie = "script"
			}
			for _, m := range asked[1:] {
				if f := next(m); f.fallback() != "fallback-token-refused by "+tie || f.Fallback.StatusCode != 403 || f.Fallback.Reason != "refused" {
					t.Errorf("%s: %+v, want a fallback by %s", m.target, f, tie)
				}
			}
			for _, m := range byItself {
				if f := next(m); f.fallback() != "" {
					t.Errorf("%s, without a token request: %+v", m.target, f)
				}
			}
		})
	}
}
