package attribution

import "time"

// withoutPackets returns who made connections that were not seen. That nothing
// is captured in a namespace may have been a mistake: it is asked for again.
func (t *tracepoint) withoutPackets(age time.Duration) []Answer {
	t.mu.Lock()
	missing, unnamed := t.claims.take(time.Now().Add(-age))
	t.mu.Unlock()
	answers := make([]Answer, 0, len(missing)+unnamed)
	for _, h := range missing {
		answers = append(answers, t.answer(h))
		t.networks.forget(h.network())
		t.networks.noticeProcess(h.pid)
	}
	for range unnamed {
		answers = append(answers, Answer{Status: NotFound})
	}
	return answers
}

func (t *tracepoint) claim(tuple Tuple) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.claims.claim(tuple, func(h *handshake) bool { return t.captures(tuple.Network, h) })
}

func (t *tracepoint) missing() <-chan struct{} { return t.claims.missing }
