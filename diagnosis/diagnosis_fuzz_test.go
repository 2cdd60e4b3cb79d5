package diagnosis

import (
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/imds"
)

// fuzzAgents are of all kinds.
var fuzzAgents = [...]string{goSDK, "aws-sdk-go/1.44.0", nodeSDK, goHTTP, curl, requests, "", "axios/1.2"}

// fuzzStep makes a step of four bytes: what it is, by whom, of what look, when.
func fuzzStep(b []byte) *step {
	kinds := [...]func() *step{
		func() *step { return put(403) },
		func() *step { return put(200) },
		func() *step { return put(0) },
		func() *step { return put(0).reset() },
		func() *step { return put(200).lost(1, 2) },
		hang, get, get,
		func() *step { return use(200) },
		func() *step { return use(401) },
		func() *step { return use(401).token(imds.NotAToken) },
		func() *step { return get().path("/computeMetadata/v1/") },
		func() *step { return get().server("kiam") },
		func() *step { return put(403).path("/1.0/api/token") },
	}
	s := kinds[int(b[0])%len(kinds)]()
	s.agent(fuzzAgents[b[1]%8]).shape(uint64(b[1] >> 3 % 4)).on(uint64(b[2] % 4))
	if b[2]&4 != 0 {
		s.by(int(b[2]>>3%4)+2, int(b[2]>>5%2)).child(int(b[2]>>6%2), "bash boot.sh[10]")
	}
	if b[3]&1 != 0 {
		s.via([]string{"", "10.9.0.1", "10.9.0.2"}[b[3]>>1%3])
	}
	return s.later(time.Duration(int8(b[3])) * 30 * time.Millisecond)
}

// Whatever comes: a call has at most one fallback, and only if it has no token and
// a token request of that kind has failed before; findings are in order.
func FuzzDiagnoser(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 6, 0, 0, 0})
	f.Add([]byte{5, 6, 1, 2, 6, 6, 2, 40, 2, 6, 1, 40, 1, 6, 1, 0, 6, 6, 2, 8})
	f.Add([]byte{8, 2, 4, 1, 9, 2, 4, 9, 0, 2, 4, 3, 6, 2, 12, 3})
	f.Fuzz(func(t *testing.T, data []byte) {
		s := newScene()
		var failed []Fallback
		for ; len(data) >= 4; data = data[4:] {
			p := fuzzStep(data)
			at := s.now.Add(p.after)
			if reason, ok := failureOf(&p.Call); ok && p.Call.Request.IsTokenRequest() {
				failed = append(failed, Fallback{Reason: reason, Since: at})
			}
			checkDiagnosis(t, s.play(p), p, at, failed, s)
		}
	})
}

func checkDiagnosis(t *testing.T, got string, p *step, at time.Time, failed []Fallback, s *scene) {
	findings, tie, isFallback := strings.Cut(got, "/")
	if n := strings.Count(findings, "fallback-"); n > 1 || (n == 1) != isFallback {
		t.Fatalf("%d fallbacks, tie %q: %s", n, tie, got)
	}
	if isFallback && (p.Call.Request.Version() != imds.V1 || !slices.ContainsFunc(failed, func(f Fallback) bool {
		return !f.Since.After(at) && strings.HasPrefix(got, "fallback-token-"+string(f.Reason))
	})) {
		t.Fatalf("%s after %v", got, failed)
	}
	if !slices.IsSortedFunc(strings.Split(findings, ","), func(a, b string) int { return rank(a) - rank(b) }) {
		t.Fatalf("not in order: %s", findings)
	}
	for _, m := range []*memory{&s.failures.memory, &s.rejections.memory} {
		if len(m.places) > maxRemembered || len(m.places) != m.order.Len() {
			t.Fatalf("%d keys, %d in order", len(m.places), m.order.Len())
		}
	}
}

// rank is a finding's place in the catalogue.
func rank(finding string) int {
	return slices.Index([]Finding{
		FallbackRefused, FallbackUnanswered, FallbackReset, FallbackUndelivered,
		TokenRefused, TokenUnanswered, TokenReset,
		HopLimit, ForwardedFor, ExpectContinue, DatedTokenPath,
		TokenEmpty, TokenErrorPage, TokenRejected, TokenExpired,
		OldSoftware, V2Capable, Script,
		OtherCloud, LocalResponder, CredentialsOverV1, V1Refused,
	}, Finding(finding))
}
