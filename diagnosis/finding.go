// Package diagnosis says why calls are made without a token: from the calls
// themselves, from those that came before, and from what is known of the software
// that makes them. It draws conclusions from evidence only; without, there are none.
package diagnosis

// Finding is the id of something that was found out of a call, as the log entry has
// it. What each means is in the catalogue.
type Finding string

// Why a call of version 1 was made by software that speaks version 2: a token
// request of its own client failed before.
const (
	FallbackRefused     Finding = "fallback-token-refused"
	FallbackUnanswered  Finding = "fallback-token-unanswered"
	FallbackReset       Finding = "fallback-token-reset"
	FallbackUndelivered Finding = "fallback-token-undelivered"
)

// What became of a token request.
const (
	TokenRefused    Finding = "token-refused"
	TokenUnanswered Finding = "token-unanswered"
	TokenReset      Finding = "token-reset"
)

// Why a token request fails. The fallbacks after it have these as well.
const (
	HopLimit       Finding = "hop-limit"
	ForwardedFor   Finding = "forwarded-for"
	ExpectContinue Finding = "expect-continue"
	DatedTokenPath Finding = "dated-token-path"
)

// What is wrong with the token of a call of version 2.
const (
	TokenEmpty     Finding = "token-empty"
	TokenErrorPage Finding = "token-error-page"
	TokenRejected  Finding = "token-rejected"
	TokenExpired   Finding = "token-expired" // of the token request that follows
)

// What the software is.
const (
	OldSoftware Finding = "old-software"
	V2Capable   Finding = "v2-capable"
	Script      Finding = "script-without-token"
)

// What the call is.
const (
	OtherCloud        Finding = "other-cloud"
	LocalResponder    Finding = "local-responder"
	CredentialsOverV1 Finding = "credentials-over-v1"
	V1Refused         Finding = "v1-refused"
)
