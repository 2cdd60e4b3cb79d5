package report

import "imds-analyzer/diagnosis"

// lines are those with which a script calls the service with a token.
func lines(p *program) string { return "" }

// fix is what to do about a finding.
func fix(f diagnosis.Finding) string {
	switch f {
	case diagnosis.HopLimit:
		return "raise the response hop limit: aws ec2 modify-instance-metadata-options --http-put-response-hop-limit 2"
	case diagnosis.ForwardedFor:
		return "let the proxy not add X-Forwarded-For, or the program not use the proxy for the metadata service"
	case diagnosis.ExpectContinue:
		return "let the program send its token request without Expect: 100-continue"
	case diagnosis.DatedTokenPath:
		return "let the program ask for its token at /latest/api/token"
	case diagnosis.FallbackRefused, diagnosis.FallbackUnanswered, diagnosis.FallbackReset, diagnosis.FallbackUndelivered:
		return "find what keeps its token requests from being answered; the program itself speaks version 2"
	case diagnosis.OldSoftware:
		return "upgrade it"
	case diagnosis.Script:
		return "let the script get a token first"
	case diagnosis.OtherCloud:
		return "nothing: this is no call to the metadata service of EC2"
	case diagnosis.LocalResponder:
		return "look at what that service does, and upgrade it"
	}
	return ""
}
