package cli_test

import (
	"os"
	"testing"
	"time"
)

// What a client's calls can come to: which version they are of in the end is
// for the service to say.
var scenarios = []struct {
	name    string
	rules   rules
	withPUT bool
}{
	{"v1", rules{}, false},
	{"v2", rules{}, true},
	{"v1-refused", rules{v1Refused: true}, false},
	{"token-refused", rules{tokenRefused: true}, true},
	{"token-unanswered", rules{tokenUnanswered: true}, true},
}

// lifeTime is how long, at the least, a process lives on after it connected
// that has to be found.
const lifeTime = 50 * time.Millisecond

// Every client, over every version of IP and in every scenario, is seen and
// classified as the service itself did. Clients that live on are attributed,
// and no other process ever is.
func TestLiveClients(t *testing.T) {
	t.Parallel()
	clients := newClients(t)
	for _, family := range families {
		t.Run(family.name+"/long-lived", func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := s.host.watch(t)
			var calls []made
			for _, scenario := range scenarios {
				rules, e := scenario.rules, errand{service: family.service, withPUT: scenario.withPUT, giveUpAfter: "20"}
				if rules.tokenUnanswered {
					e.giveUpAfter = "0.5"
				}
				rules.delay = lifeTime
				s.service.follow(rules)
				for _, c := range clients {
					e.name = c.name + "/" + scenario.name
					calls = append(calls, s.send(t, s.host, c, e)...)
				}
			}
			entries := entriesOf(t, p.stop(t, os.Interrupt))
			checkSeen(t, entries, calls)
			checkCallers(t, entries, calls, true)
		})
		t.Run(family.name+"/short-lived", func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			p := s.host.watch(t)
			var calls []made
			for _, scenario := range scenarios[:2] {
				for _, c := range clients {
					e := errand{service: family.service, withPUT: scenario.withPUT, name: c.name + "/" + scenario.name, giveUpAfter: "20"}
					calls = append(calls, s.send(t, s.host, c, e)...)
				}
			}
			entries := entriesOf(t, p.stop(t, os.Interrupt))
			checkSeen(t, entries, calls)
			checkCallers(t, entries, calls, false)
		})
	}
}
