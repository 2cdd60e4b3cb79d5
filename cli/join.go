package cli

import (
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/diagnosis"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

const (
	// answerWait is how long a complete call waits for its process: longer than that
	// takes.
	answerWait = attribution.AnswerAtMost + 50*time.Millisecond
	// maxWaiting bounds the calls that wait for their process or for the
	// output: 4 s of 1,000 calls a second. Beyond it capture waits too, and
	// the kernel's buffer is next.
	maxWaiting = 4 << 10
	// batchSize is how many calls travel together where many come at once, fewer with
	// large texts: to wake the goroutine that writes for each of them takes longer than
	// to write it. Files have about as many between two looks at the clock.
	batchSize = 1 << 10
	// maxSpare bounds the batches that are kept to be used again: 2 are 0.9 MiB. More
	// are only needed while the output is behind.
	maxSpare = 2
	// maxFound bounds the answers that wait to be looked at early: 0.25 s of 1,000
	// calls a second. Others are looked at when their calls are written.
	maxFound = 256
)

// join brings calls and processes together, in the order of the calls. It is
// the Handler of the goroutine that owns the Analyzer; what comes of it leaves
// in the one goroutine that owns the output.
type join struct {
	resolver   attribution.Resolver
	identifier *identity.Identifier
	pending    map[uint64]*attribution.Pending // by Conn.ID, none of a file
	batch      []event                         // not sent yet
	size       int                             // of batch
	out        chan []event
	room       *room                     // for events, until they are delivered
	spare      chan []event              // batches to use again
	found      chan *attribution.Pending // answers to look at early
	closed     chan struct{}
	// diagnoser, and the record of the latest call, are of the goroutine that delivers.
	diagnoser *diagnosis.Diagnoser
	record    output.Record // kept, so that not each call takes a new one
}

// event is a call on its way to the output, or a line about the capture.
type event struct {
	call imds.Call
	// response is what call's points to when it is delivered, if call has one: that of a
	// Handler's is not its to keep.
	response imds.Response
	pending  *attribution.Pending
	due      time.Time // when its process is waited for no longer, if it is not known yet
	// unanswered: it is a token request that has no answer yet, and no call to write.
	unanswered bool
	lifecycle  func() // not nil for the latter: writes it
}

// eventText is how many bytes of a note or a request's texts count as much as an event.
const eventText = 1 << 10

// size is what an event takes of maxWaiting.
func (e *event) size() int {
	r := &e.call.Request
	return 1 + (r.Note.Size()+len(r.Target)+len(r.UserAgent)+len(r.Host)+len(r.ForwardedClient))/eventText
}

func newJoin(resolver attribution.Resolver, identifier *identity.Identifier) *join {
	return &join{
		resolver:   resolver,
		identifier: identifier,
		pending:    make(map[uint64]*attribution.Pending),
		out:        make(chan []event, maxWaiting),
		room:       newRoom(maxWaiting),
		spare:      make(chan []event, maxSpare),
		found:      make(chan *attribution.Pending, maxFound),
		closed:     make(chan struct{}),
		diagnoser:  diagnosis.New(),
	}
}

var _ capture.Handler = (*join)(nil)

// Opened starts to look for the process. For a connection whose tuple turned
// out to be a translated one it starts again.
func (j *join) Opened(c imds.Conn) {
	seen := j.resolver.Seen
	if !c.Handshake {
		seen = j.resolver.SeenOpen
	}
	pending := seen(attribution.Tuple{Local: c.Client, Remote: c.Service, Network: c.Network}, c.Opened)
	if pending == nil {
		return // of a file, of which each connection would be remembered and forgotten for nothing
	}
	j.pending[c.ID] = pending
	pending.Tell(j.found)
}

// lookEarly looks at what a process belongs to as soon as that is found: a container
// that ends takes its files along, before its call is written. What they say is
// remembered. It ends with close.
func (j *join) lookEarly() {
	for {
		select {
		case p := <-j.found:
			j.identifier.Workload(p.Answer().Process.Cgroup)
		case <-j.closed:
			return
		}
	}
}

// Call sends a call on, at the latest with the next flush.
func (j *join) Call(c imds.Call) { j.sendCall(&c, false) }

// Unanswered sends on, among the calls, what may explain those that follow.
func (j *join) Unanswered(c imds.Call) { j.sendCall(&c, true) }

func (j *join) sendCall(c *imds.Call, unanswered bool) {
	pending, due := j.pending[c.Conn.ID], time.Time{}
	if !pending.HasAnswer() {
		due = time.Now().Add(answerWait)
	}
	e := event{call: *c, pending: pending, due: due, unanswered: unanswered}
	if c.Response != nil {
		e.response = *c.Response
	}
	j.send(&e)
}

// send takes in an event. There is room for it when it is sent: what is not sent yet gives none.
func (j *join) send(e *event) {
	j.batch = append(j.batch, *e)
	if j.size += e.size(); j.size >= batchSize {
		j.flush()
	}
}

// flush sends on what was not sent yet. It is called whenever there is nothing
// more to take in for the moment.
func (j *join) flush() {
	sent := len(j.batch)
	if sent == 0 {
		return
	}
	j.room.take(j.size)
	j.size = 0
	j.out <- j.batch
	select {
	case j.batch = <-j.spare:
	default:
		j.batch = make([]event, 0, sent) // the next one is like it
	}
}

// Closed forgets the connection.
func (j *join) Closed(c imds.Conn) { delete(j.pending, c.ID) }

// lifecycle sends a line about the capture behind the calls so far.
func (j *join) lifecycle(write func()) {
	j.send(&event{lifecycle: write})
	j.flush()
}

// close says that nothing more will come.
func (j *join) close() {
	j.flush()
	close(j.out)
	close(j.closed)
}

// drain takes in all events until close. idle is called whenever there is
// nothing to do for the moment; it returns how long to wait before it is called
// again if nothing comes, 0 for no more.
func (j *join) drain(record func(*output.Record), idle func() time.Duration) {
	for {
		batch, ok := j.next(idle)
		if !ok {
			return
		}
		j.deliverAll(batch, record)
	}
}

// next returns the next batch. It reports false after the last one.
func (j *join) next(idle func() time.Duration) (batch []event, ok bool) {
	select {
	case batch, ok = <-j.out:
		return batch, ok
	default:
	}
	for wait := idle(); wait > 0; wait = idle() {
		select {
		case batch, ok = <-j.out:
			return batch, ok
		case <-time.After(wait):
		}
	}
	batch, ok = <-j.out
	return batch, ok
}

func (j *join) deliverAll(batch []event, record func(*output.Record)) {
	size := 0
	for i := range batch {
		j.deliver(&batch[i], record)
		size += batch[i].size()
	}
	j.room.give(size)
	clear(batch) // what they hold is not kept
	select {
	case j.spare <- batch[:0]:
	default:
	}
}

func (j *join) deliver(e *event, record func(*output.Record)) {
	if e.lifecycle != nil {
		e.lifecycle()
		return
	}
	r := &j.record
	if r.Call = e.call; e.call.Response != nil {
		r.Call.Response = &e.response
	}
	r.Answer, r.Identity = j.caller(answerBy(e.pending, e.due), e.call.Request.Note)
	if e.unanswered {
		j.diagnoser.Unanswered(&r.Evidence)
		return
	}
	r.Diagnosis = j.diagnoser.Call(&r.Evidence)
	r.Sequence++
	record(r)
}

// answerBy waits for the process until due.
func answerBy(p *attribution.Pending, due time.Time) attribution.Answer {
	if p.HasAnswer() {
		return p.Answer()
	}
	timer := time.NewTimer(time.Until(due))
	defer timer.Stop()
	select {
	case <-p.Done():
		return p.Answer()
	case <-timer.C:
		return attribution.Answer{Status: attribution.NotFound}
	}
}
