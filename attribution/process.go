// Package attribution finds the process behind a TCP connection of this host.
package attribution

import (
	"net/netip"
	"time"
)

// Tuple names a TCP connection as the process that opened it sees it.
type Tuple struct {
	Local, Remote netip.AddrPort
}

// Process is a process (thread group) as it was when it was seen. Fields whose
// value is not known are zero.
type Process struct {
	PID              int
	NamespacePID     int // the pid in the process's own pid namespace, where that is another one
	Name             string
	Executable       string
	Args             []string
	WorkingDirectory string
	Start            time.Time
	User             *User
	Cgroup           string     // path of the process's cgroup, unified or systemd hierarchy
	Ancestors        []Ancestor // parent first, up to pid 1, at most MaxAncestors
}

// User is the effective user of a process. Name is empty if it is not known.
type User struct {
	ID   uint32
	Name string
}

// Ancestor is a process among the parents of another.
type Ancestor struct {
	PID        int
	Name       string
	Executable string
	Args       []string
}

// MaxAncestors bounds the line of ancestors.
const MaxAncestors = 16

// Status says what an Answer rests on.
type Status string

// The statuses, in the words of the log entry.
const (
	Resolved    Status = "resolved"    // exact evidence
	Shared      Status = "shared"      // several processes hold the socket
	Inferred    Status = "inferred"    // evidence by timing, or that may be stale
	NotFound    Status = "not_found"   // looked for and not found
	Unavailable Status = "unavailable" // no way of looking works here
	Offline     Status = "offline"     // a capture file: there is no kernel to ask
)

// Method is a way of finding the process.
type Method string

// The methods, in the words of the log entry.
const (
	SockDiag Method = "sock_diag"
	Proc     Method = "proc"
)

// Answer is what is known of the process behind a connection.
type Answer struct {
	Status  Status
	Method  Method   // empty unless a process was found
	Process *Process // nil unless Status is Resolved, Shared or Inferred
	// Candidates are the other processes that hold the socket, for Shared.
	Candidates []Process
}

// Pending is an answer that may still be on its way.
type Pending struct {
	done   chan struct{}
	answer Answer
}

// Done is closed when the answer is there. That takes a bounded time.
func (p *Pending) Done() <-chan struct{} { return p.done }

// Answer returns the answer; it is to be called after Done only.
func (p *Pending) Answer() Answer { return p.answer }

// answered returns a Pending whose answer is there.
func answered(a Answer) *Pending {
	done := make(chan struct{})
	close(done)
	return &Pending{done: done, answer: a}
}

// Resolver finds the process behind a connection.
type Resolver interface {
	// Seen says that a connection was seen at the given capture time, and
	// returns what will be known of its process. It does not block. Seen again
	// for the same connection returns the same answer.
	Seen(t Tuple, at time.Time) *Pending
	// Methods are the ways that work here, best first.
	Methods() []Method
	Close() error
}

// NewOffline returns the Resolver for capture files, which have no kernel to ask.
func NewOffline() Resolver { return offline{} }

type offline struct{}

func (offline) Seen(Tuple, time.Time) *Pending { return answered(Answer{Status: Offline}) }
func (offline) Methods() []Method              { return nil }
func (offline) Close() error                   { return nil }
