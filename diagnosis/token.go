package diagnosis

import (
	"regexp"
	"time"

	"imds-analyzer/imds"
)

// The statuses that matter (RFC 9110, section 15.5).
const (
	statusBadRequest        = 400
	statusUnauthorized      = 401
	statusForbidden         = 403
	statusExpectationFailed = 417
)

// failureOf says how a token request has failed. It reports false if it has not, or
// if that is not known.
func failureOf(c *imds.Call) (Reason, bool) {
	switch r := c.Response; {
	case r == nil && c.Reset:
		return Reset, true
	case r == nil:
		return Unanswered, c.Unanswered
	case !isSuccess(r.Status):
		return Refused, true
	case r.Delivery == imds.NotDelivered && c.Unanswered && !isShort(r):
		return Unanswered, true // the answer came when the client had given up
	case r.Delivery == imds.NotDelivered:
		return Undelivered, true
	}
	return "", false
}

// isToken reports whether a token request that has not failed has brought a token: not
// if its client had given up, unless it has the answer all the same.
func isToken(c *imds.Call) bool {
	return c.Response != nil && (!c.Unanswered || c.Response.Delivery == imds.Acknowledged)
}

func isSuccess(status int) bool { return status/100 == 2 }

// outcomes are the findings of token requests that failed.
var outcomes = map[Reason]Finding{Refused: TokenRefused, Unanswered: TokenUnanswered, Reset: TokenReset}

// fallbacks are the findings of calls that follow such.
var fallbacks = map[Reason]Finding{
	Refused: FallbackRefused, Unanswered: FallbackUnanswered, Reset: FallbackReset, Undelivered: FallbackUndelivered,
}

// causesOf says why a token request has failed, as far as there is evidence.
func causesOf(c *imds.Call, reason Reason) (causes []Finding) {
	add := func(f Finding, is bool) {
		if is {
			causes = append(causes, f)
		}
	}
	r := c.Response
	add(HopLimit, reason == Undelivered && isShort(r))
	if reason == Refused {
		add(ForwardedFor, c.Request.ForwardedFor && refusesForwarded(c))
		add(ExpectContinue, c.Request.ExpectContinue && r.Status == statusExpectationFailed)
		add(DatedTokenPath, isDatedTokenPath(c.Request.Path()) && r.Status == statusForbidden)
	}
	return causes
}

// isShort reports whether an answer's hop limit was too small for its way to the
// client. That it is 1 alone says nothing: so it is for the host's own programs, too,
// which are reached with that.
func isShort(r *imds.Response) bool { return r.HopLimit > 0 && r.HopLimit < r.HopLimitNeeded }

// maxTTLSeconds is how long a token can live (EC2 user guide).
const maxTTLSeconds = 21600

// refusesForwarded reports whether the status can be the answer to X-Forwarded-For:
// it says that the request is not allowed, and not that there is no such thing, or
// that it lacks a time to live.
func refusesForwarded(c *imds.Call) bool {
	switch c.Response.Status {
	case statusUnauthorized, statusForbidden:
		return true
	case statusBadRequest:
		return 0 < c.Request.TTLSeconds && c.Request.TTLSeconds <= maxTTLSeconds
	}
	return false
}

// datedTokenPath is the token's path in another version of the metadata than
// latest, which has none: /2021-01-03/api/token, /1.0/api/token.
var datedTokenPath = regexp.MustCompile(`^/+(\d{4}-\d{2}-\d{2}|1\.0)/+api/+token/*$`)

func isDatedTokenPath(path string) bool { return datedTokenPath.MatchString(path) }

const (
	// momentAfter is how long after an answer a client makes its next call, if it does
	// at once: some SDKs wait a second.
	momentAfter = 1500 * time.Millisecond
	// leastPatience is how long a client waits for an answer at the least: less than
	// the AWS SDK for Go v2, which does for 500 ms. What comes before is of another.
	leastPatience = 400 * time.Millisecond
	// mostPatience is how long a client waits for an answer: the AWS SDK for JavaScript
	// v2 does for 3 s. Here it goes on with something else at once.
	mostPatience = 3500 * time.Millisecond
)

// goesOn is when a client makes its next call if it goes on at once after a call
// that has failed.
func goesOn(c *imds.Call, reason Reason) window {
	switch reason {
	case Refused:
		return window{c.Response.Time, c.Response.Time.Add(momentAfter)}
	case Undelivered:
		return window{c.Response.Time, c.Response.Time.Add(mostPatience)}
	case Unanswered:
		return window{c.Request.Time.Add(leastPatience), c.Request.Time.Add(mostPatience)}
	}
	return window{c.Request.Time, c.Request.Time.Add(mostPatience)}
}

// tokenFindings says what is wrong with the token of a call.
func tokenFindings(c *imds.Call) []Finding {
	switch {
	case c.Request.Token == imds.EmptyToken:
		return []Finding{TokenEmpty}
	case c.Request.Token == imds.NotAToken:
		return []Finding{TokenErrorPage}
	case isRejected(c):
		return []Finding{TokenRejected}
	}
	return nil
}

// isRejected reports whether the service refused what looks like a token.
func isRejected(c *imds.Call) bool {
	return c.Response != nil && c.Response.Status == statusUnauthorized &&
		c.Request.Token != imds.EmptyToken && c.Request.Token != imds.NotAToken
}

// isAccepted reports whether the service took a token.
func isAccepted(c *imds.Call) bool {
	return c.Response != nil && isSuccess(c.Response.Status) &&
		c.Request.Token != imds.EmptyToken && c.Request.Token != imds.NotAToken
}
