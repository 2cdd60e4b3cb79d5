package attribution

import "time"

// withoutPackets returns who made connections that were not seen. That nothing
// is captured in a namespace may have been a mistake: it is asked for again.
func (t *tracepoint) withoutPackets(age time.Duration) []Answer {
	t.mu.Lock()
	missing := t.claims.take(monotonic() - int64(age))
	t.mu.Unlock()
	answers := make([]Answer, 0, len(missing))
	for _, h := range missing {
		answers = append(answers, t.answer(h))
		t.networks.forget(h.network())
		t.networks.noticeProcess(h.pid)
	}
	return answers
}

func (t *tracepoint) claim(tuple Tuple) {
	t.mu.Lock()
	defer t.mu.Unlock()
	now := monotonic()
	t.claims.claim(tuple, now, func(h *handshake) bool { return h.began <= now && t.captures(tuple.Network, h) })
}

func (t *tracepoint) missing() <-chan struct{} { return t.claims.missing }

// watchClaims says when connections are late, for as long as some wait. One timer
// is for all of them: each would hold what is known of its process.
func (t *tracepoint) watchClaims(wait time.Duration) {
	time.AfterFunc(wait, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if wait := t.claims.late(time.Now()); wait > 0 {
			t.watchClaims(wait)
		}
	})
}
