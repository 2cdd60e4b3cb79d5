package diagnosis

import (
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
type Diagnoser struct{}

// New returns a Diagnoser.
func New() *Diagnoser { return &Diagnoser{} }

// Unanswered takes in a token request to which there is no answer although its
// client may have waited long enough for one. Its Call may follow.
func (d *Diagnoser) Unanswered(e *Evidence) {}

// Call takes in a call, in the order in which they are complete, and returns what
// there is to say of it.
func (d *Diagnoser) Call(e *Evidence) Diagnosis { return Diagnosis{} }
