package cli

import "fmt"

// settle is for when all is open, sources, outputs and ways of finding
// processes: the process keeps the privileges that are in use from now on.
func (s *session) settle() {
	if !s.options.live() {
		return
	}
	if err := dropPrivileges(s.resolver.StillUsed(capabilities())); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("More privileges are kept than are in use: %v.", err))
	}
}
