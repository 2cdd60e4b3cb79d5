package cli

import "fmt"

// realTimeCapability is what --realtime takes, in the words of capabilities(7).
const realTimeCapability = "CAP_SYS_NICE"

// settle is for when all is open, sources, outputs and ways of finding
// processes: the process keeps the privileges that are in use from now on.
func (s *session) settle() {
	if !s.options.live() {
		return
	}
	keep := s.resolver.StillUsed(capabilities())
	if s.options.realTime {
		keep = append(keep, realTimeCapability)
	}
	if err := dropPrivileges(keep); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("More privileges are kept than are in use: %v.", err))
	}
	s.runFirst()
}

// runFirst does what --realtime asks for. It comes last, with a privilege that
// was kept for it: the threads must not wait for each other any more.
func (s *session) runFirst() {
	if !s.options.realTime {
		return
	}
	if err := s.resolver.RunFirst(); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("--realtime has no effect: %v.", err))
	}
}
