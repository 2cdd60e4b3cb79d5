package cli

import "fmt"

// realTimeCapability is what --realtime takes, in the words of capabilities(7).
const realTimeCapability = "CAP_SYS_NICE"

// settle is for when all is open, sources, outputs and ways of finding
// processes: the process keeps the privileges that are in use from now on.
func (s *session) settle() {
	if !s.options.live() {
		s.settleFiles()
		return
	}
	keep := append(s.resolver.StillUsed(capabilities()), s.options.command.capabilities()...)
	if s.networks != nil {
		keep = append(keep, networkCapabilities...)
	}
	if s.options.realTime {
		keep = append(keep, realTimeCapability)
	}
	if err := dropPrivileges(keep); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("More privileges are kept than are in use: %v.", err))
	}
	s.runFirst()
}

// settleFiles is settle for files. What reads them keeps its privileges: the next
// one may take them to be opened.
func (s *session) settleFiles() {
	if s.options.command == nil {
		return
	}
	if err := forbidGains(); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("The command of --enrich can gain privileges: %v.", err))
	}
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
