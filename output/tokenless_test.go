package output

import (
	"testing"

	"imds-analyzer/diagnosis"
	"imds-analyzer/imds"
)

func TestTokenless(t *testing.T) {
	local := func(r *Record) { r.Diagnosis.Findings = []diagnosis.Finding{diagnosis.LocalResponder} }
	for _, tt := range []struct {
		name   string
		record Record
		want   Tokenless
	}{
		{"answered", testRecord(), TokenlessAnswered},
		{"redirected", testRecord(status(301)), TokenlessAnswered},
		{"refused as version 2 is required", testRecord(status(401)), TokenlessRefused},
		{"not found", testRecord(status(404)), TokenlessNotFound},
		{"refused for another reason", testRecord(status(403)), 0},
		{"failed", testRecord(status(500)), 0},
		{"not answered", testRecord(unanswered), 0},
		{"by another program", testRecord(local), 0},
		{"version 2", testRecord(token), 0},
		{"not known", testRecord(cutHead(imds.LostSegment)), 0},
	} {
		e := NewEntry(tt.record, testHost)
		if got := e.Tokenless(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestGotCredentials(t *testing.T) {
	credentials := target("/latest/meta-data/iam/security-credentials/app")
	for _, tt := range []struct {
		name   string
		record Record
		want   bool
	}{
		{"delivered", testRecord(credentials), true},
		{"refused", testRecord(credentials, status(401)), false},
		{"not answered", testRecord(credentials, unanswered), false},
		{"another path", testRecord(), false},
		{"path not seen", testRecord(nothingSeen), false},
	} {
		e := NewEntry(tt.record, testHost)
		if got := e.GotCredentials(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
