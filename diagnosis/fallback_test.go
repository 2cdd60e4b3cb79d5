package diagnosis

import (
	"testing"
	"time"
)

func TestFallbackReasons(t *testing.T) {
	scenes(t, map[string][]*step{
		"reset": {
			put(0).on(1).reset().wants("token-reset"),
			get().wants("fallback-token-reset/user_agent"),
		},
		"unanswered": {
			put(0).wants(unanswered),
			get().wants(expired + "user_agent"),
		},
		"the answer was not delivered": {
			put(200).lost(1, 2).wants("hop-limit"),
			get().wants("fallback-token-undelivered,hop-limit/user_agent"),
		},
		"not delivered for another reason": {
			put(200).lost(64, 0),
			get().wants("fallback-token-undelivered/user_agent"),
		},
		"forwarded": {
			put(403).on(1).via("10.9.0.1").wants("token-refused,forwarded-for"),
			get().on(1).via("10.9.0.1").wants("fallback-token-refused,forwarded-for/connection"),
		},
		"the latest failure counts": {
			put(403).wants(refused),
			put(0).wants(unanswered),
			get().wants(expired + "user_agent"),
		},
		"with what comes of it": {
			put(403).wants(refused),
			get().path("/latest/meta-data/iam/security-credentials/app").wants("fallback-token-refused,credentials-over-v1/user_agent"),
		},
	})
}

func TestFallbackTellsTheFailure(t *testing.T) {
	s := newScene()
	failed := put(404)
	s.play(failed)
	e := get().Evidence
	e.Call.Request.Time = s.now.Add(time.Minute)
	want := Fallback{Reason: Refused, Status: 404, Tie: SameUserAgent, Since: s.now}
	if got := s.Call(&e).Fallback; got == nil || *got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// Only what comes before a call explains it, and only until a token is given.
func TestFallbackEnds(t *testing.T) {
	scenes(t, map[string][]*step{
		"a token is given": {
			put(403).by(7, 0).on(1).wants(refused),
			put(200).by(7, 0).on(2),
			get().by(7, 0).on(1),
			get().on(3),
		},
		"and then none again": {
			put(403).wants(refused),
			put(200),
			put(0).wants(unanswered),
			get().wants(expired + "user_agent"),
		},
		"a token is given to another process": {
			put(403).by(7, 0).wants(refused),
			put(200).by(8, 0),
			get().by(7, 0).wants(fallback + "process"),
			get().by(8, 0),
		},
		"a token that does not arrive": {
			put(403).wants(refused),
			put(200).lost(1, 2).wants("hop-limit"),
			get().wants("fallback-token-undelivered,hop-limit/user_agent"),
		},
		"a token is given to another software": {
			put(403).by(7, 0).wants(refused),
			put(200).by(7, 0).agent(requests),
			get().by(7, 0).wants(fallback + "process"),
		},
		"before the failure": {
			get(),
			put(403).wants(refused),
		},
		"a call that began before": {
			put(403).by(7, 0).wants(refused),
			get().by(7, 0).later(-time.Minute),
		},
		"tokens that are given explain nothing": {
			put(200),
			get(),
		},
	})
}

// A token request that hangs is told twice, and not in order.
func TestUnanswered(t *testing.T) {
	slow := func(status int, since time.Duration) *step {
		s := put(status).on(1)
		s.Call.Request.Time = sceneStart.Add(10*time.Millisecond + since)
		return s
	}
	scenes(t, map[string][]*step{
		"its call follows": {
			hang().on(1),
			get().wants(expired + "user_agent"),
			slow(0, 0).wants(unanswered),
			get().wants(expired + "user_agent"),
		},
		"it is answered after all": {
			hang().on(1),
			slow(200, 0),
			get(),
		},
		"it is refused after all": {
			hang().on(1),
			slow(403, 0).wants(refused),
			get().wants(fallback + "user_agent"),
		},
		"it was reset": {
			hang().on(1).reset(),
			get().wants("fallback-token-reset/user_agent"),
		},
		"another request was answered meanwhile": {
			hang().on(1),
			put(200).later(time.Second),
			slow(0, 0).wants(unanswered),
			get(),
		},
		"another request was refused meanwhile": {
			hang().on(1),
			put(403).later(time.Second).wants(refused),
			slow(0, 0).wants(unanswered),
			get().wants(fallback + "user_agent"),
		},
		"it is answered when another was refused": {
			hang().on(1),
			put(403).later(time.Second).wants(refused),
			slow(200, 0),
			get().wants(fallback + "user_agent"),
		},
		"of another cloud": {
			hang().path("/metadata/identity"),
			get(),
		},
		"no token request": {
			func() *step { s := get().on(1); s.Call.Response, s.waiting = nil, true; return s }(),
			get(),
		},
		"the capture may lack its answer": {
			func() *step { s := put(0).on(1); s.Call.Unanswered = false; return s }(),
			get(),
		},
	})
}

func TestOtherServicesGetNoFallback(t *testing.T) {
	scenes(t, map[string][]*step{
		"another cloud's path": {
			put(403).wants(refused),
			get().path("/computeMetadata/v1/instance").wants("other-cloud"),
			get().wants(fallback + "user_agent"),
		},
		"a token request of another cloud": {
			put(404).path("/metadata/identity").wants("other-cloud"),
			get(),
		},
	})
}
