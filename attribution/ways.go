package attribution

import "time"

// witness is a way that is told of connections when they are made: it does not
// look, but waits. What it says is exact.
type witness interface {
	method() Method
	// expects reports whether it knows of the connection, or will: otherwise
	// there is nothing to watch for. It is called as soon as the connection is
	// seen, and takes about half a millisecond at most.
	expects(q *query) bool
	// watch calls known, in another goroutine, with the process behind the
	// connection once it knows it, at most once. forget ends the wait, and reports
	// whether known will not be called any more: else it was, or is about to be.
	watch(q query, known func(Answer)) (forget func() bool)
	// impaired reports whether it may have missed what has just happened.
	impaired() bool
	// failed is closed when it knows of nothing any more; nil if that cannot be.
	failed() <-chan struct{}
	// knownUntil is until when it knows by now of all that happened. It then has itself
	// told what happened since, which only takes a processor.
	knownUntil() time.Time
	lost() uint64
	// runFirst is for its thread to run before all others.
	runFirst() error
	close() error
}

// seer is a witness that sees all connections, whether they are captured or not.
type seer interface {
	withoutPackets(age time.Duration) []Answer
	missing() <-chan struct{}
	// claim takes note that a connection is captured whose beginning was not.
	claim(Tuple)
}

// way is one way of finding the process behind a connection.
type way interface {
	method() Method
	// find returns an Answer for each query. One without status says that
	// another way could know more.
	find([]query) []Answer
	close() error
}

// query is a connection whose process is looked for.
type query struct {
	tuple  Tuple
	at     time.Time // when the connection was seen, capture time
	opened time.Time // when it was opened, zero if that is not known
	until  time.Time // when to give up looking
	// caught is by the witness, nil if it does not catch. What other ways find
	// although somebody was caught is in doubt.
	caught *caught
}

// caught is a process that held the socket of a connection.
type caught struct {
	pid    int
	at     int64     // when it did, ns, CLOCK_MONOTONIC
	looked time.Time // when that was found out
	uid    uint32    // of the socket
}
