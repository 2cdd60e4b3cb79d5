package diagnosis

import (
	"testing"
	"time"

	"imds-analyzer/attribution"
)

const (
	refused    = "token-refused"
	unanswered = "token-unanswered"
	fallback   = "fallback-token-refused/"
	expired    = "fallback-token-unanswered/"
)

func TestProcessTies(t *testing.T) {
	scenes(t, map[string][]*step{
		"on another connection, long after": {
			put(403).by(7, 0).wants(refused),
			get().by(7, 0).wants(fallback + "process"),
			get().by(7, 0).later(20 * 24 * time.Hour).wants(fallback + "process"),
		},
		"whatever the version of the product": {
			put(403).by(7, 0).wants(refused),
			get().by(7, 0).agent("aws-sdk-go/1.55.8").wants(fallback + "process"),
		},
		"not another library of the process": {
			put(403).by(7, 0).wants(refused),
			get().by(7, 0).agent("aws-sdk-java/1.11.600"),
			get().by(7, 0).agent(goHTTP),
		},
		"a library that names itself later": {
			put(403).by(7, 0).agent("").wants(refused),
			get().by(7, 0).agent(nodeSDK).shape(8).later(time.Hour).wants(fallback + "process"),
		},
		"no library that names itself always": {
			put(403).by(7, 0).agent("").wants(refused),
			get().by(7, 0).agent("axios/1.2").shape(8),
		},
		"no name where there always is one": {
			put(403).by(7, 0).agent("axios/1.2").wants(refused),
			get().by(7, 0).agent("").shape(8),
		},
		"a library without a name": {
			put(403).by(7, 0).agent("").wants(refused),
			get().by(7, 0).agent("").shape(8).later(time.Hour).wants(fallback + "process"),
		},
		"a tool's library": {
			put(403).by(7, 0).agent(requests).wants(refused),
			get().by(7, 0).agent(requests).later(time.Hour).wants(fallback + "process"),
		},
		"another process with the same User-Agent": {
			put(403).by(7, 0).wants(refused),
			get().by(8, 0),
		},
		"the pid is another process's now": {
			put(403).by(7, 0).wants(refused),
			get().by(7, 5),
		},
		"a start that was read anew": {
			put(403).by(7, 10).wants(refused),
			get().by(7, 11).wants(fallback + "process"),
		},
		"no start is known": {
			put(403).by(7, 10).started(time.Time{}).wants(refused),
			get().by(7, 10).started(time.Time{}).wants(fallback + "process"),
			get().by(7, 10).wants(fallback + "process"),
			get().by(7, 10).started(time.Time{}).named("other"),
		},
		"a process on another host": {
			put(403).by(7, 0).host("a").wants(refused),
			get().by(7, 0).host("b"),
			get().by(7, 0).host("a").wants(fallback + "process"),
		},
		"one that shares its socket": {
			put(403).by(7, 0).status(attribution.Shared).wants(refused),
			get().by(7, 0).status(attribution.Shared).agent("").wants(fallback + "process"),
		},
		"what is inferred ties nothing": {
			put(403).by(7, 0).status(attribution.Inferred).wants(refused),
			get().by(7, 0).status(attribution.Inferred).agent(""),
		},
		"both libraries fail": {
			put(403).by(7, 0).wants(refused),
			put(404).by(7, 0).agent(requests).wants(refused),
			get().by(7, 0).wants(fallback + "process"),
			get().by(7, 0).agent(requests).wants(fallback + "process"),
		},
	})
}

func TestConnectionTies(t *testing.T) {
	scenes(t, map[string][]*step{
		"the same connection": {
			put(403).on(1).agent(curl).wants(refused),
			get().on(1).agent(curl).later(time.Hour).wants(fallback + "connection"),
			get().on(2).agent(curl),
		},
		"another software on it": {
			put(403).on(1).wants(refused),
			get().on(1).agent(curl),
		},
		"another process on it": {
			put(403).on(1).by(7, 0).wants(refused),
			get().on(1).by(8, 0),
		},
		"a process known for one alone": {
			put(403).on(1).by(7, 0).wants(refused),
			get().on(1).wants(fallback + "connection"),
		},
	})
}

// In log entries connections have no numbers.
func TestConnectionTiesWithoutNumbers(t *testing.T) {
	for seconds, want := range map[int]string{59: fallback + "connection", 61: ""} {
		d := New()
		failed, call := put(403).agent(curl), get().agent(curl)
		failed.Call.Request.Time = sceneStart
		call.Call.Request.Time = sceneStart.Add(time.Duration(seconds) * time.Second)
		d.Call(&failed.Evidence)
		if got := words(d.Call(&call.Evidence)); got != want {
			t.Errorf("%d s later: %q, want %q", seconds, got, want)
		}
	}
}

// A call that was made before its client could know that there will be no token is
// another client's, however alike they are.
func TestBeforeTheFailure(t *testing.T) {
	slow := func(s *step) *step {
		s.Call.Request.Time = sceneStart
		s.Call.Response.Time = sceneStart.Add(300 * time.Millisecond)
		return s
	}
	at := func(s *step, after time.Duration) *step { s.Call.Request.Time = sceneStart.Add(after); return s }
	scenes(t, map[string][]*step{
		"refused later":   {slow(put(503)).wants(refused), at(get(), 100*time.Millisecond), at(get(), 301*time.Millisecond).wants(fallback + "user_agent")},
		"same process":    {slow(put(503)).by(7, 0).wants(refused), at(get().by(7, 0), 100*time.Millisecond)},
		"hangs, too soon": {at(hang(), 0).agent(""), at(get(), 100*time.Millisecond).agent(""), at(get(), 500*time.Millisecond).agent("").wants("fallback-token-unanswered/timing")},
	})
}

func TestScriptTies(t *testing.T) {
	script := []string{"bash boot.sh[10]", "systemd[1]"}
	scenes(t, map[string][]*step{
		"two runs of a tool by one script": {
			put(403).agent(curl).by(7, 0).child(1, script...).wants(refused),
			get().agent(curl).by(8, 0).child(1, script...).later(time.Hour).wants(fallback + "script"),
		},
		"in a subshell": {
			put(403).agent(curl).by(7, 0).child(1, "bash boot.sh[11]", "bash boot.sh[10]", "systemd[1]").wants(refused),
			get().agent(curl).by(8, 0).child(1, script...).wants(fallback + "script"),
		},
		"a shell without a tool, in a subshell": {
			put(403).agent("").by(7, 0).running("bash boot.sh[11]").child(1, script...).wants(refused),
			get().agent("").by(7, 0).running("bash boot.sh[10]").wants(fallback + "script"),
		},
		"another shell without a tool": {
			put(403).agent("").by(7, 0).running("bash boot.sh[11]").child(1, script...).wants(refused),
			get().agent("").by(7, 0).running("bash boot.sh[20]"),
		},
		"a shell, and a tool that it runs": {
			put(403).agent(curl).by(7, 0).child(1, script...).wants(refused),
			get().agent("").by(7, 0).running("bash boot.sh[10]"),
		},
		"through a launcher": {
			put(403).agent(curl).by(7, 0).child(2, "timeout 5 curl[12]", "bash boot.sh[10]").wants(refused),
			get().agent(curl).by(8, 0).child(1, script...).wants(fallback + "script"),
		},
		"through another program": {
			put(403).agent(curl).by(7, 0).child(2, "agent[12]", "bash boot.sh[10]").wants(refused),
			get().agent(curl).by(8, 0).child(2, "agent[13]", "bash boot.sh[10]"),
		},
		"another script": {
			put(403).agent(curl).by(7, 0).child(1, script...).wants(refused),
			get().agent(curl).by(8, 0).child(1, "bash boot.sh[20]", "systemd[1]"),
		},
		"another script with its pid": {
			put(403).agent(curl).by(7, 0).child(1, script...).wants(refused),
			get().agent(curl).by(8, 0).child(1, "bash other.sh[10]", "systemd[1]"),
		},
		"an interactive shell": {
			put(403).agent(curl).by(7, 0).child(0, "bash[10]", "sshd[1]").wants(refused),
			get().agent(curl).by(8, 0).child(0, "bash[10]", "sshd[1]"),
		},
		"another tool": {
			put(403).agent("Wget/1.21.3").by(7, 0).child(1, script...).wants(refused),
			get().agent(curl).by(8, 0).child(1, script...),
		},
		"an SDK in the script, and a tool": {
			put(403).by(7, 0).child(1, script...).wants(refused),
			get().agent(curl).by(8, 0).child(1, script...),
			get().by(9, 0).child(1, script...),
		},
		"what does not say which tool it is": {
			put(403).agent("").by(7, 0).child(1, script...).wants(refused),
			get().agent("").by(8, 0).child(1, script...),
		},
		"the next token is given": {
			put(403).agent(curl).by(7, 0).child(1, script...).wants(refused),
			put(200).agent(curl).by(8, 0).child(1, script...),
			get().agent(curl).by(9, 0).child(1, script...),
		},
	})
}

func TestUserAgentTies(t *testing.T) {
	scenes(t, map[string][]*step{
		"where no process is known": {
			put(403).wants(refused),
			get().later(9 * time.Hour).wants(fallback + "user_agent"),
		},
		"another version": {
			put(403).wants(refused),
			get().agent("aws-sdk-go/1.55.7 (go1.26.8; linux; amd64)"),
		},
		"another address": {
			put(403).wants(refused),
			get().from("10.0.1.24", ""),
			get().from("10.0.1.23", "4026531840"),
			get().host("b"),
		},
		"the name of a library says nothing": {
			put(403).agent(requests).wants(refused),
			get().agent(requests).later(9 * time.Second),
		},
		"a process known for the token request": {
			put(403).by(7, 0).wants(refused),
			get().wants(fallback + "user_agent"),
		},
		"a process known for the call": {
			put(403).wants(refused),
			get().by(7, 0).wants(fallback + "user_agent"),
		},
		"several processes behind it": {
			put(403).by(7, 0).wants(refused),
			put(404).wants(refused),
			get().by(8, 0).wants(fallback + "user_agent"),
			get().by(7, 0).wants(fallback + "process"),
		},
		"a plain tool beside it": {
			put(403).wants(refused),
			get().agent(curl),
			get().agent(goHTTP),
			get().agent(""),
			get().wants(fallback + "user_agent"),
		},
	})
}

func TestMomentTies(t *testing.T) {
	scenes(t, map[string][]*step{
		"right after a refusal": {
			put(403).agent(goHTTP).wants(refused),
			get().agent(goHTTP).later(time.Second).wants(fallback + "timing"),
		},
		"with what follows on the connection": {
			put(403).agent("").wants(refused),
			get().agent("").on(2).wants(fallback + "timing"),
			get().agent("").on(2).later(time.Hour).wants(fallback + "timing"),
			get().agent("").on(3),
			put(404).agent("").on(2).wants(refused),
			get().agent("").on(2).wants(fallback + "connection"),
		},
		"too late": {
			put(403).agent(goHTTP).wants(refused),
			get().agent(goHTTP).later(1600 * time.Millisecond),
		},
		"another shape": {
			put(403).agent(goHTTP).wants(refused),
			get().agent(goHTTP).shape(8),
		},
		"no shape": {
			put(403).agent(goHTTP).shape(0).wants(refused),
			get().agent(goHTTP).shape(0),
		},
		"another process": {
			put(403).agent(goHTTP).by(7, 0).wants(refused),
			get().agent(goHTTP).by(8, 0),
			get().agent(goHTTP).wants(fallback + "timing"),
		},
		"another run of a tool": {
			put(403).agent(curl).wants(refused),
			get().agent(curl),
			put(403).agent("Wget/1.21.3").wants(refused),
			get().agent("Wget/1.21.3"),
		},
		"after waiting in vain": {
			hang().agent(goHTTP),
			get().agent(goHTTP).later(-20 * time.Millisecond), // it had begun before
			get().agent(goHTTP).later(time.Second).wants(expired + "timing"),
			get().agent(goHTTP).later(3 * time.Second),
		},
		"a name after a token request without": {
			put(403).agent("").wants(refused),
			get().agent(nodeSDK).shape(8).later(time.Second).wants(fallback + "timing"),
			get().agent(nodeSDK).shape(8).later(time.Hour).wants(fallback + "user_agent"),
			get().agent("aws-sdk-nodejs/2.1"),
			get().agent("").shape(8),
			put(200).agent(""),
			get().agent(nodeSDK).shape(8),
		},
		"no name, and another shape": {
			put(403).agent("").wants(refused),
			get().agent("").shape(8),
		},
		"a name that is known from before": {
			put(403).agent("").wants(refused),
			get().agent(nodeSDK).shape(8).wants(fallback + "timing"),
			put(403).agent("").later(time.Hour).wants(refused),
			get().agent(nodeSDK).shape(8).later(time.Hour).wants(fallback + "user_agent"),
		},
		"a name in the token request, too": {
			put(403).agent(nodeSDK).wants(refused),
			get().agent("aws-sdk-nodejs/2.1"),
			put(200).agent(""),
			get().agent(nodeSDK).wants(fallback + "user_agent"),
		},
		"a name too late": {
			put(403).agent("").wants(refused),
			get().agent(nodeSDK).shape(8).later(2 * time.Second),
		},
		"another name": {
			put(403).agent("").wants(refused),
			get().agent("aws-sdk-java/1.11.1").shape(8),
		},
	})
}

func TestProxiedTies(t *testing.T) {
	proxied := func(s *step, client string) *step { return s.on(1).by(7, 0).via(client) }
	scenes(t, map[string][]*step{
		"the same client": {
			proxied(put(404), "10.9.0.1").wants(refused),
			proxied(get(), "10.9.0.1").wants(fallback + "process"),
			get().on(2).via("10.9.0.1").wants(fallback + "user_agent"),
		},
		"another client": {
			proxied(put(404), "10.9.0.1").wants(refused),
			proxied(get(), "10.9.0.2"),
		},
		"another software of the client": {
			proxied(put(404), "10.9.0.1").wants(refused),
			proxied(get(), "10.9.0.1").agent(curl),
		},
		"two runs of a tool": {
			proxied(put(404), "10.9.0.1").agent(curl).wants(refused),
			proxied(get(), "10.9.0.1").agent(curl),
		},
		"the proxy itself": {
			proxied(put(404), "10.9.0.1").wants(refused),
			get().on(1).by(7, 0),
		},
		"it is not told whose": {
			proxied(put(404), "").agent(goHTTP).wants(refused),
			proxied(get(), "").agent(goHTTP),
			proxied(put(404), "").wants(refused),
			proxied(get(), "").wants(fallback + "user_agent"),
		},
	})
}

// The strongest tie is told where several hold.
func TestStrongestTie(t *testing.T) {
	scenes(t, map[string][]*step{
		"all": {
			put(403).on(1).by(7, 0).wants(refused),
			get().on(1).by(7, 0).wants(fallback + "process"),
			get().on(1).wants(fallback + "connection"),
			get().on(2).wants(fallback + "user_agent"),
		},
	})
}
