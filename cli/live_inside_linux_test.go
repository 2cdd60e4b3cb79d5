package cli_test

import (
	"os"
	"testing"
)

// Where the service's addresses are in another network namespace of the machine, as a
// stand-in's are, calls of the host are the host's, and those from within are captured
// there.
func TestLiveServiceInside(t *testing.T) {
	s := newSite(t)
	s.far.ip(t, "link set lo up")
	end := s.far.occupy(t)
	defer end()
	p := s.host.watchAll(t)
	eventually(t, "captured", func() bool { return s.far.isCaptured(t) })
	calls := s.visits(t, curlOf(t))
	for _, family := range families {
		calls = append(calls, s.send(t, s.far, curlOf(t), errand{service: family.service, withPUT: true, name: "inside", giveUpAfter: "20"})...)
	}
	check(t, p.stop(t, os.Interrupt), calls)
}
