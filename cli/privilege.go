package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"slices"

	"imds-analyzer/confine"
)

// realTimeCapability is what --realtime takes, in the words of capabilities(7).
const realTimeCapability = "CAP_SYS_NICE"

// settle is for when all is open, sources, outputs and ways of finding
// processes: the process keeps the privileges that are in use from now on.
func (s *session) settle() {
	if !s.options.live() {
		s.settleFiles()
		return
	}
	if err := roomForFiles(); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("Processes cannot be looked at at all times, and callers may stay unknown: %v; allow 64 files or more.", err))
	}
	keep := append(s.resolver.StillUsed(capabilities()), s.options.command.capabilities()...)
	if s.networks != nil {
		keep = append(keep, networkCapabilities...)
	}
	if s.options.realTime {
		keep = append(keep, realTimeCapability)
	}
	calmMonitor()
	if err := dropPrivileges(keep); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("More privileges are kept than are in use: %v.", err))
	}
	s.runFirst()
	s.restrict(s.liveJob())
}

// liveJob is what a capture goes on to do.
func (s *session) liveJob() confine.Job {
	command := s.options.command
	return confine.Job{
		Capture: true,
		// Who has kept the right to enter namespaces does.
		Networks: slices.Contains(capabilities(), "CAP_SYS_ADMIN"),
		Programs: command != nil || s.identity.RunsPrograms(),
		Users:    len(command.capabilities()) > 0,
	}
}

// restrict leaves the process with the system calls of the job. It comes last.
func (s *session) restrict(job confine.Job) {
	if s.options.noSeccomp {
		return
	}
	if err := job.Restrict(); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("All system calls stay allowed: %v.", err))
		return
	}
	s.confined = append(s.confined, "seccomp")
	if !job.Programs {
		s.confined = append(s.confined, "no_exec")
	}
}

// noDumps keeps the memory of the process, in which tokens pass, to it.
func (s *session) noDumps() {
	if err := confine.NoDumps(); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("A crash can write memory to a file: %v.", err))
		return
	}
	s.confined = append(s.confined, "no_core_dumps")
}

// leaveProgramsNothing has programs that a capture starts gain no privileges, if the
// process does nothing else.
func (s *session) leaveProgramsNothing() {
	if !s.streams.Own {
		return
	}
	if err := leaveProgramsNothing(); err != nil {
		s.limits = append(s.limits, fmt.Sprintf("Programs that are started can have privileges: %v.", err))
		return
	}
	s.confined = append(s.confined, "no_new_privs")
}

// giveUp opens what is read and written, and leaves the process without the rights that
// reading does not take, before it looks at a byte of what others have written. It then
// is the command's user, or nobody: whatever takes over the one has the rights of the
// other.
func (s *session) giveUp(ctx context.Context, out io.Writer, stop func()) error {
	o := &s.options
	r := reader{names: o.read, to: readAs(), job: confine.Job{Programs: o.command != nil}}
	switch {
	case o.rotateSize > 0: // in the directory of the log
		r.to, r.keep = nil, []string{overrideCapability}
	case o.command != nil:
		r.to, r.keep = o.command.user, o.command.capabilities()
	}
	r.open = func() error {
		if !hasRights() {
			return nil
		}
		o.targets = targets(o.output, o.write)
		return s.openOutputs(ctx, out, stop)
	}
	from, limits, err := r.giveUp(s.streams.Own, o.noSeccomp)
	if err != nil {
		return err
	}
	o.from, s.limits = from, append(s.limits, limits...)
	if o.command != nil && o.command.user != nil && os.Geteuid() == int(o.command.user.uid) {
		o.command.user = nil // is the program's own now
	}
	return nil
}

// settleFiles is settle for files. What reads them has given up its rights by then.
func (s *session) settleFiles() {
	if s.options.command == nil || s.streams.Own {
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
