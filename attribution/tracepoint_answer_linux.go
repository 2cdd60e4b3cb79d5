package attribution

// answer tells of the process behind a handshake what is certain: whatever was
// put in doubt is left out.
func (t *tracepoint) answer(h *handshake) Answer {
	if h.pid <= 0 {
		return Answer{Status: NotFound} // in a pid namespace that we cannot see into
	}
	p := t.process(h)
	for _, a := range h.ancestors() {
		p.Ancestors = append(p.Ancestors, *a)
	}
	return Answer{Status: Resolved, Method: Tracepoint, Process: &p}
}

// process joins what was read of the process in connect(2) with what is known
// of the program that it ran.
func (t *tracepoint) process(h *handshake) Process {
	r := h.read
	if r == nil || r.doubted {
		r = &reading{process: Process{PID: h.pid}}
	}
	p := r.process
	if m := h.member; m != nil && !m.isAnother(r) {
		m.complete(&p)
		if p.Start.IsZero() && m.since != 0 {
			p.Start = t.facts.proc.startOf(m.since)
		}
	}
	p.User = t.facts.user(r.userID)
	return p
}

// isAnother reports whether the reading is of another process than the member:
// one that took over its pid, unseen.
func (m *member) isAnother(r *reading) bool {
	return m.own && r.contradicts(m.image) || r.startedOtherThan(m.since)
}
