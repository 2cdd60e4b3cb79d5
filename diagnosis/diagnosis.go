package diagnosis

import (
	"hash/maphash"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

// Evidence is what a call is judged by: the call, who made it, and what that is.
type Evidence struct {
	Call     imds.Call
	Answer   attribution.Answer
	Identity identity.Identity
	// Host tells the calls of several hosts apart; empty if there is only one.
	Host string
}

// Diagnosis is what was found out of a call.
type Diagnosis struct {
	Findings []Finding // in the order of the catalogue, each once
	Fallback *Fallback // nil unless the call is one
}

// Fallback is why a client has gone on without a token.
type Fallback struct {
	Reason Reason
	Status int       // with which the token request was refused; 0 otherwise
	Tie    Tie       // what ties the call to that token request
	Since  time.Time // when that was sent
}

// Reason is how a token request failed.
type Reason string

// The reasons, in the words of the log entry.
const (
	Refused     Reason = "refused"     // answered with another status than 2xx
	Unanswered  Reason = "unanswered"  // no answer came while the client waited
	Reset       Reason = "reset"       // the service reset the connection
	Undelivered Reason = "undelivered" // the answer was sent, and did not reach the client
)

// Tie is what ties a call to a token request, as evidence that both are by the same
// client.
type Tie string

// The ties, in the words of the log entry, the strongest first.
const (
	SameProcess    Tie = "process"
	SameConnection Tie = "connection"
	SameScript     Tie = "script"     // processes that the same script has started
	SameUserAgent  Tie = "user_agent" // the same address and the same User-Agent, which names a version of some software
	SameMoment     Tie = "timing"     // the same address and shape, right after the failure
)

// Diagnoser finds out why calls are made, one after the other. It is not safe for
// concurrent use. Its size is bounded.
type Diagnoser struct {
	failures   following // token requests
	rejections following // tokens that were accepted before
	accepted   marks     // clients whose token was
}

// New returns a Diagnoser.
func New() *Diagnoser {
	seed := maphash.MakeSeed()
	return &Diagnoser{failures: following{seed: seed}, rejections: following{seed: seed}}
}

// Unanswered takes in a token request to which there is no answer although its
// client may have waited long enough for one. Its Call may follow.
func (d *Diagnoser) Unanswered(e *Evidence) {
	r := &e.Call.Request
	if reason, failed := failureOf(&e.Call); failed && r.IsTokenRequest() && !isOtherCloud(r) {
		d.failed(e, reason)
	}
}

// Call takes in a call, in the order in which they are complete, and returns what
// there is to say of it.
func (d *Diagnoser) Call(e *Evidence) (found Diagnosis) {
	r := &e.Call.Request
	switch version := r.Version(); {
	case isOtherCloud(r):
		found.Findings = []Finding{OtherCloud}
	case r.IsTokenRequest():
		found.Findings = d.tokenRequest(e)
	case version == imds.V2:
		found.Findings = d.withToken(e)
	case version == imds.V1:
		found = d.withoutToken(e)
	}
	if isLocalResponder(e.Call.Response) {
		found.Findings = append(found.Findings, LocalResponder)
	}
	return found
}

// tokenRequest says what has become of a token request, and remembers it for what
// follows.
func (d *Diagnoser) tokenRequest(e *Evidence) (found []Finding) {
	reason, failed := failureOf(&e.Call)
	switch {
	case failed:
		if f, ok := outcomes[reason]; ok {
			found = append(found, f)
		}
		found = append(found, d.failed(e, reason)...)
	case isToken(&e.Call) && !d.failures.memory.empty():
		c := clientOf(e)
		d.failures.end(&c)
	}
	if d.isRenewal(e) {
		found = append(found, TokenExpired)
	}
	return found
}

// failed remembers a token request that has failed, and returns why.
func (d *Diagnoser) failed(e *Evidence, reason Reason) []Finding {
	a := attempt{
		client: clientOf(e),
		next:   goesOn(&e.Call, reason),
		reason: reason,
		causes: causesOf(&e.Call, reason),
	}
	if reason == Refused {
		a.status = e.Call.Response.Status
	}
	d.failures.remember(a)
	return a.causes
}

// isRenewal reports whether the client's token was rejected, after others of its
// calls were taken.
func (d *Diagnoser) isRenewal(e *Evidence) bool {
	if d.rejections.memory.empty() {
		return false
	}
	c := clientOf(e)
	rejected, _ := d.rejections.find(&c)
	d.rejections.end(&c)
	return rejected != nil && !d.accepted.has(d.numberOf(e))
}

// withToken says what is wrong with a call's token.
func (d *Diagnoser) withToken(e *Evidence) []Finding {
	switch {
	case isAccepted(&e.Call):
		d.accepted.set(d.numberOf(e))
	case isRejected(&e.Call) && d.accepted.has(d.numberOf(e)):
		d.accepted.unset(d.numberOf(e))
		d.rejections.remember(attempt{client: clientOf(e), next: goesOn(&e.Call, Refused)})
	}
	return tokenFindings(&e.Call)
}

// withoutToken says why a call of version 1 was made, and what comes of it.
func (d *Diagnoser) withoutToken(e *Evidence) (found Diagnosis) {
	if a, tie := d.failureBefore(e); a != nil {
		found.Findings = append([]Finding{fallbacks[a.reason]}, a.causes...)
		found.Fallback = &Fallback{Reason: a.reason, Status: a.status, Tie: tie, Since: a.at}
	} else if f, ok := callerFinding(e); ok {
		found.Findings = append(found.Findings, f)
	}
	if f, ok := consequence(&e.Call); ok {
		found.Findings = append(found.Findings, f)
	}
	return found
}

func (d *Diagnoser) failureBefore(e *Evidence) (*attempt, Tie) {
	if d.failures.memory.empty() {
		return nil, ""
	}
	c := clientOf(e)
	return d.failures.find(&c)
}

// consequence says what comes of a call of version 1. Others than the service have
// rules of their own, and credentials from elsewhere.
func consequence(c *imds.Call) (Finding, bool) {
	switch r := c.Response; {
	case r == nil || isLocalResponder(r):
		return "", false
	case r.Status == statusUnauthorized:
		return V1Refused, true
	}
	return CredentialsOverV1, isSuccess(c.Response.Status) && c.Request.Method != "HEAD" && c.Request.DeliversCredentials()
}

// numberOf is a number for the client of a call with a token: by its process or, if
// that is not known, by its address and User-Agent.
func (d *Diagnoser) numberOf(e *Evidence) uint64 {
	c := client{host: e.Host, conn: &e.Call.Conn, process: processOf(&e.Answer), through: e.Call.Request.ForwardedClient}
	if c.process.known() {
		return c.processes(d.failures.seed)
	}
	return number(d.failures.seed, struct {
		address
		agent string
	}{c.address(), e.Call.Request.UserAgent})
}

// serverName is the Server field of the metadata service's answers.
const serverName = "EC2ws"

// isLocalResponder reports whether something else than the service has answered.
func isLocalResponder(r *imds.Response) bool {
	return r != nil && r.Server != "" && r.Server != serverName
}
