package capture

import "imds-analyzer/imds"

// hidesHeads reports whether n lost bytes can hold the beginning of a message.
func (r *messageReader) hidesHeads(n int64) bool {
	switch r.state {
	case stateBody, stateChunk:
		return n > r.remaining || r.role().mayWithhold()
	case stateUntilClose, stateIgnore:
		return false
	}
	return true
}

// lost passes over n bytes that the capture does not hold.
func (r *messageReader) lost(n int64, reason imds.Incomplete) {
	switch r.state {
	case stateUntilClose, stateIgnore:
	case stateBody, stateChunk:
		if n > r.remaining || r.role().mayWithhold() {
			r.loseTrack(reason)
			return
		}
		r.remaining -= n
		r.endBodyPart()
	case stateHead:
		told := r.role().partial(r.buffer, reason)
		r.found = true
		r.keepHead(r.buffer, false)
		r.loseTrack(reason)
		r.reported = told
	case stateSkipHead:
		r.loseTrack(reason)
		r.reported = true
	case stateLost:
		r.dropBuffer()
		r.reason = reason
	default:
		r.loseTrack(reason)
	}
}

// findPlace says that a message begins where the place in the stream was lost.
func (r *messageReader) findPlace() {
	r.endGap()
	r.dropBuffer()
	r.state = stateStart
}

// endGap says that no more will be known of what was lost in stateLost.
func (r *messageReader) endGap() {
	if r.reason == imds.LostSegment && (!r.reported || r.flow.requests.proven()) {
		r.role().gap()
	}
}

func (r *messageReader) loseTrack(reason imds.Incomplete) {
	r.dropBuffer()
	r.inBody = r.withheld == unknownBody || r.state >= stateChunkSize && r.state <= stateTrailer
	r.state, r.reason, r.reported, r.remaining, r.withheld = stateLost, reason, false, 0, 0
}

// loseForRoom loses the place in the stream because there is no memory to keep it: up to where
// it is found again there may be messages of which nothing is told.
func (r *messageReader) loseForRoom() {
	r.missForRoom()
	r.loseTrack(imds.Whole)
}

// missForRoom takes in that there may be a message of which nothing is told as there is no memory.
func (r *messageReader) missForRoom() {
	r.missHeads()
	if !r.isResponses() {
		r.flow.analyzer.ignoreForRoom()
	}
}

// missHeads takes in that there may be messages of which nothing is told.
func (r *messageReader) missHeads() {
	if r.isResponses() {
		r.flow.exchange.hidden = true
	} else {
		r.flow.exchange.requestsLost = true
	}
}

// notAMessage deals with bytes that are no head where one should begin.
func (r *messageReader) notAMessage() {
	switch {
	case r.late && !r.found:
		r.loseTrack(imds.CaptureStart)
	case !r.found:
		r.discard()
		r.flow.markNotHTTP()
	default:
		r.loseInMessage()
	}
}

// loseInMessage loses the place in the stream as it holds something else than is expected: a
// message that was read before ended elsewhere, and there may be others between.
func (r *messageReader) loseInMessage() {
	r.missHeads()
	r.loseTrack(imds.Whole)
}
