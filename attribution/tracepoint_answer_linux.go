package attribution

import "strings"

// answer tells of the process behind a handshake what is certain: whatever was
// put in doubt is left out.
func (t *tracepoint) answer(h *handshake) Answer {
	if h.pid <= 0 {
		return Answer{Status: NotFound} // in a pid namespace that we cannot see into
	}
	p := t.process(h)
	for _, k := range h.ancestors() {
		if k.image.doubted {
			break // nor is it certain who its ancestors are
		}
		p.Ancestors = append(p.Ancestors, k.image.ancestor(k.pid))
	}
	return Answer{Status: Resolved, Method: Tracepoint, Process: &p}
}

// process joins what was read of the process in connect(2) with what is known
// of the program that it ran then.
func (t *tracepoint) process(h *handshake) Process {
	r, m := h.read, h.member
	if r == nil || r.doubted || m != nil && m.ranAnother(r) {
		r = &reading{process: Process{PID: h.pid}}
	}
	p := r.process
	if m != nil && !m.isAnother(r) {
		m.complete(&p)
		if p.Cgroup == "" {
			p.Cgroup = m.cgroupAt(h.began)
		}
		if p.Start.IsZero() && m.since != 0 {
			p.Start = t.facts.proc.startOf(m.since)
		}
	}
	p.User = t.facts.user(r.userID)
	return p
}

// ranAnother reports whether what was read is the next program of the process:
// while that is loaded, nothing tells of it (execWindow). Names change, files do
// not, but where only a name is known it has to do.
func (m *member) ranAnother(r *reading) bool {
	if m.image == nil || m.image.doubted {
		return false
	}
	then, now := m.image.process, r.process
	if then.Executable != "" || now.Executable == "" {
		return now.Executable != "" && now.Executable != then.Executable
	}
	return then.Name != "" && !strings.HasPrefix(then.Name, now.Name)
}

// isAnother reports whether the reading is of another process than the member:
// one that took over its pid, unseen.
func (m *member) isAnother(r *reading) bool {
	return m.own && r.contradicts(m.image) || r.startedOtherThan(m.since)
}
