package output

import (
	"slices"

	"imds-analyzer/diagnosis"
	"imds-analyzer/imds"
)

// Tokenless is what became of a call without a token, as the service's own figures in
// CloudWatch tell such calls apart.
type Tokenless uint8

// Answered calls are what CloudWatch calls MetadataNoToken, Refused ones
// MetadataNoTokenRejected. Whether it counts those that were answered 404 among the first
// is not documented. The zero value is that of all other calls: of another version, of
// one that is not known, not answered, refused for another reason, or answered by another
// program than the service.
const (
	TokenlessAnswered Tokenless = iota + 1
	TokenlessRefused
	TokenlessNotFound
)

// Tokenless says what became of the call, if it is one without a token.
func (e *Entry) Tokenless() Tokenless {
	if e.IMDS.Version != imds.V1.String() || slices.Contains(e.IMDS.Findings, string(diagnosis.LocalResponder)) {
		return 0
	}
	switch status := e.Status(); {
	case status >= 200 && status < 400:
		return TokenlessAnswered
	case status == 401:
		return TokenlessRefused
	case status == 404:
		return TokenlessNotFound
	}
	return 0
}

// GotCredentials reports whether the call was answered with what its path delivers, a
// role's credentials.
func (e *Entry) GotCredentials() bool {
	status := e.Status()
	return e.IMDS.Credentials != nil && *e.IMDS.Credentials && status >= 200 && status < 300
}
