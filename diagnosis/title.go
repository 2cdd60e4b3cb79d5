package diagnosis

// Title says a finding in a few words, to stand in a line of text; of one that this
// version does not know it is the id.
func (f Finding) Title() string {
	switch f {
	case FallbackRefused:
		return "falls back: its token request was refused"
	case FallbackUnanswered:
		return "falls back: its token request was not answered"
	case FallbackReset:
		return "falls back: its token request was reset"
	case FallbackUndelivered:
		return "falls back: the token did not reach it"
	case TokenRefused:
		return "token request refused"
	case TokenUnanswered:
		return "token request not answered"
	case TokenReset:
		return "token request reset"
	case HopLimit:
		return "hop limit of the token's answer too small"
	case ForwardedFor:
		return "token request with X-Forwarded-For"
	case ExpectContinue:
		return "token request with Expect: 100-continue"
	case DatedTokenPath:
		return "token asked for at a path with a date"
	case TokenEmpty:
		return "empty token"
	case TokenErrorPage:
		return "error page in place of a token"
	case TokenRejected:
		return "token rejected"
	case TokenExpired:
		return "token had expired"
	case OldSoftware:
		return "version too old for IMDSv2"
	case V2Capable:
		return "version speaks IMDSv2, no failed token request seen"
	case Script:
		return "script or tool without a token"
	case OtherCloud:
		return "probe for another cloud"
	case LocalResponder:
		return "answered by another service"
	case CredentialsOverV1:
		return "credentials over IMDSv1"
	case V1Refused:
		return "refused: IMDSv2 is required"
	}
	return string(f)
}
