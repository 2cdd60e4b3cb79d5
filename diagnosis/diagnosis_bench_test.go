package diagnosis

import "testing"

func benchmarkCall(b *testing.B, before []*step, p *step) {
	s := newScene()
	for _, f := range before {
		s.play(f)
	}
	e := p.Evidence
	e.Call.Request.Time = s.now.Add(p.after)
	if e.Call.Response != nil {
		e.Call.Response.Time = e.Call.Request.Time
	}
	b.ReportAllocs()
	for b.Loop() {
		s.Call(&e)
	}
}

func BenchmarkToken(b *testing.B)        { benchmarkCall(b, nil, use(200)) }
func BenchmarkTokenByPid(b *testing.B)   { benchmarkCall(b, nil, use(200).by(7, 0)) }
func BenchmarkTokenRequest(b *testing.B) { benchmarkCall(b, nil, put(200).by(7, 0)) }
func BenchmarkV1(b *testing.B)           { benchmarkCall(b, nil, get().by(7, 0)) }
func BenchmarkV1AfterOthersFailed(b *testing.B) {
	benchmarkCall(b, []*step{put(403).by(8, 0)}, get().by(7, 0))
}
func BenchmarkTokenRequestAfterOthersFailed(b *testing.B) {
	benchmarkCall(b, []*step{put(403).by(8, 0)}, put(200).by(7, 0))
}
func BenchmarkFallback(b *testing.B) {
	benchmarkCall(b, []*step{put(403).by(7, 0)}, get().by(7, 0))
}
