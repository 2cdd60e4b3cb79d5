package report

import (
	"slices"

	"imds-analyzer/diagnosis"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// standing is what a call means for switching version 1 off.
type standing uint8

// The standings. Blocking: without version 1 the call fails, or would have. So does one
// that was answered 404: what it asks for may be there another time, as the notice of a
// spot interruption is. Refused: it was blocking, and failed, as version 1 was off.
const (
	harmless  standing = iota // of version 2, or refused for another reason than the token
	blocking                  // of version 1
	refused                   // of version 1, with 401
	unclear                   // of unknown version
	elsewhere                 // answered by another service: what that does is not seen
	probe                     // a question to the metadata service of another cloud
)

func standingOf(e *output.Entry) standing {
	switch {
	case e.IMDS.Version == imds.V2.String():
		return harmless
	case has(e, diagnosis.OtherCloud):
		return probe
	case e.IMDS.Version != imds.V1.String():
		return unclear
	case has(e, diagnosis.LocalResponder):
		return elsewhere
	}
	switch e.Status() {
	case 400, 403, 405:
		return harmless
	case 401:
		return refused
	}
	return blocking
}

func has(e *output.Entry, f diagnosis.Finding) bool {
	return slices.Contains(e.IMDS.Findings, string(f))
}

func succeeded(status int) bool { return status >= 200 && status < 300 }
