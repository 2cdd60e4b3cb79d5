package capture

import "time"

// Limits bound what an Analyzer keeps. Whatever goes beyond is let go in a
// way that shows: a call whose head is not kept is unknown, and each
// connection that is given up early is counted.
type Limits struct {
	// Connections is the number of open connections that are followed; one
	// that has been silent for long makes room for a new one.
	Connections int
	// HalfOpen is the number of those of which nothing was seen of the client but a
	// SYN; the oldest makes room for a new one. Whatever its client sends later is
	// read all the same.
	HalfOpen int
	// ClosedConnections is the number of ended connections that are
	// remembered at most, and half of it at least, so that late repeats of
	// their segments are not taken for new calls.
	ClosedConnections int
	// BufferedBytes bounds, over all connections, the segments that wait for
	// earlier ones, the heads that are not complete yet and the requests that wait
	// for their answers, and once more what the capture says of clients. Where it is
	// used up, the connection that takes most makes room for one that takes less.
	BufferedBytes int
}

// LiveLimits suit a host that is watched for weeks. EC2 lets an instance
// exchange 1024 packets a second with all link-local services, about 100
// short connections: 3,072 open ones are 30 s of that without a single
// close, as long as a call waits for its answer, and 16,384 closed ones, or half of them, as
// much again. 2,048 half open ones are 2 s of SYNs and nothing else, and 40 ms of all the
// SYNs that a processor can send; a handshake takes one. With about 0.9 KiB a connection,
// 96 B a closed one and 4 MiB of buffers (1,000 connections with 4 KiB each) this is
// 8.2 MiB. What is known of their processes comes on top: with all of it, each takes
// 3 KiB.
// Live packets say nothing of clients.
func LiveLimits() Limits {
	return Limits{Connections: 3 << 10, HalfOpen: 2 << 10, ClosedConnections: 16 << 10, BufferedBytes: 4 << 20}
}

// OfflineLimits suit captures of busier things than one instance: 131,072
// open connections of about 0.9 KiB, with a request each, are 118 MiB at the worst. What
// has ended is remembered for 12,288 connections or more, in 1.5 MiB.
func OfflineLimits() Limits {
	return Limits{Connections: 128 << 10, HalfOpen: 32 << 10, ClosedConnections: 24 << 10, BufferedBytes: 64 << 20}
}

// Limits of one connection, and of time. Time is capture time.
const (
	// maxHeadBytes bounds a request's or response's head. Servers accept 8 to
	// 64 KiB; twice the most is still read whole.
	maxHeadBytes = 128 << 10
	// maxTextBytes bounds what is kept of a request's target, and of each of its
	// fields that are told: longer ones are cut, and end with "…".
	maxTextBytes = 4 << 10
	// maxTailBytes bounds what is kept of a head whose beginning was lost.
	maxTailBytes = 16 << 10
	// maxLineBytes bounds a chunk-size or trailer line.
	maxLineBytes = 4 << 10
	// maxHeldSegments and maxHeldBytes bound the segments that one direction
	// of a connection keeps waiting for an earlier one: a window of 256 KiB,
	// in segments of 1 KiB.
	maxHeldSegments = 256
	maxHeldBytes    = 256 << 10
	// segmentOverhead is what a kept segment costs beyond its bytes: 104 B, twice that
	// where there is room for the next ones, and 248 B before it is known where the
	// connection begins.
	segmentOverhead = 256
	// maxPending bounds the requests of a connection that wait for answers.
	maxPending = 64
	// defaultWindow is how far ahead of the next byte a segment may start
	// where the receiver's window is not known: the largest that Linux offers
	// by default is 6 MiB (tcp(7), tcp_rmem), a client of the metadata
	// service never comes near 1 MiB.
	defaultWindow = 1 << 20

	// reorderWait is how long a segment waits for an earlier one that its
	// receiver has already acknowledged, which was thus lost or reordered by
	// the capture and not by the network. Reordering between the queues of
	// one host is below a millisecond.
	reorderWait = 200 * time.Millisecond
	// lossWait is how long a segment waits for an earlier one that is still
	// to be sent again: five retransmissions, 0.2+0.4+…+6.4 s (RFC 6298).
	lossWait = 13 * time.Second
	// maxQuiet is how long a capture may be without a packet and still have run: no
	// token lives longer than six hours (EC2 user guide), so that whoever uses one has
	// asked for another by then.
	maxQuiet = 6 * time.Hour
	// callWait is how long a request waits for its answer.
	callWait = 30 * time.Second
	// tokenPatience is how long a token request waits for its answer until its client
	// may have given it up: less than the shortest time-out of SDKs (500 ms, AWS SDK
	// for Go v2), so that this is known before the call that follows.
	tokenPatience = 400 * time.Millisecond
	// deliveryWait is how long a token waits for its client's acknowledgment where
	// nothing speaks against that it came: a service sends again after 1 s at the
	// latest, and once more 2 s later (RFC 6298, section 2). undeliveredWait is how
	// long where something does: the clients that wait least for a token go on
	// without after 500 ms, and what explains that has to come before.
	// ackWait is what an acknowledgment takes, many times over on one host.
	deliveryWait    = 3 * time.Second
	undeliveredWait = 400 * time.Millisecond
	ackWait         = 50 * time.Millisecond
	// maxDelivering bounds the answers that wait on a connection, and the calls behind
	// them, of 448 bytes each: a client asks for one token at a time.
	maxDelivering = 4
	// sentAgainWait is how much later than an answer what is seen of it once more
	// was sent again, and is not the same packet on its way: half of the least
	// time after which Linux does (TCP_RTO_MIN, 200 ms).
	sentAgainWait = 100 * time.Millisecond
	// crossingWait is how long after an answer a client can close without having
	// seen it come: what an instance's service takes for one, many times over.
	crossingWait = 5 * time.Millisecond
	// closeLinger is how long after a connection's end its packets may still
	// come out of order.
	closeLinger = reorderWait
	// repeatWait is how long what nobody acknowledges is sent again: Linux gives up after
	// 924.6 s (tcp_retries2, ip-sysctl).
	repeatWait = 16 * time.Minute
	// idleWait is how long a connection may be silent. Later requests on it
	// are still seen, as those of a connection whose start was not captured.
	idleWait = 10 * time.Minute
	// legWait is how far apart in time the same packet may be captured before
	// and after address translation.
	legWait = time.Second
	// maxLegs bounds the tuples of a connection: it passes some ten places of a host, and a file
	// can name as many network namespaces as it likes.
	maxLegs = 64
	// fragmentWait is how long fragments of a datagram are kept (Linux:
	// net.ipv4.ipfrag_time, 30 s); maxFragmented, maxPieces and maxDatagram bound
	// them: 64 KiB in the 552 bytes that fit into 576 (RFC 791) are 119 pieces.
	fragmentWait  = 30 * time.Second
	maxFragmented = 64
	maxPieces     = 128
	maxDatagram   = 64 << 10
	// clockSlack is how far packet times may go back before the clock follows.
	clockSlack = time.Minute
)
