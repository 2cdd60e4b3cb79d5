package attribution

import "strings"

// answer tells of the process behind a handshake what is certain: whatever was
// put in doubt is left out.
func (t *tracepoint) answer(h *handshake) Answer {
	if h.pid <= 0 || h.byKernel() { // in a pid namespace that we cannot see into, or for somebody else
		return Answer{Status: NotFound}
	}
	p := t.process(h)
	for _, k := range h.parents() {
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
	r, m := h.certain()
	p := r.process
	if m != nil {
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

// certain returns what was read of the process, or nothing but its pid, and the member
// that it is, nil if there is none. What was read, and is not in doubt, is of the caller:
// if that started at another time it is not the member.
func (h *handshake) certain() (*reading, *member) {
	r, m, nothing := h.read, h.member, &reading{process: Process{PID: h.pid}}
	switch {
	case r == nil || r.doubted:
		return nothing, m
	case m == nil || m.own && r.contradicts(m.image):
		return r, nil
	case m.isAnother(r) && m.ranAnother(r): // the event of a fork can come late: either may be so
		return nothing, nil
	case m.isAnother(r):
		return r, nil
	case m.ranAnother(r):
		return nothing, m
	}
	return r, m
}

// parents are the ancestors of the process that is told.
func (h *handshake) parents() []kin {
	switch r, m := h.certain(); {
	case m == h.member:
		return h.ancestors()
	case r == h.read:
		return h.lineRead
	}
	return nil
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
