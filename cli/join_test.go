package cli

import (
	"math"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

func offlineJoin() *join {
	return newJoin(attribution.NewOffline(), identity.New(identity.Options{}))
}

// callOn makes a call on a connection of its own.
func callOn(j *join, id uint64) {
	conn := imds.Conn{ID: id}
	j.Opened(conn)
	j.Call(imds.Call{Conn: conn})
	j.Closed(conn)
}

// As many calls wait as are said to, however few are sent at once.
func TestJoinHoldsCallsOneByOne(t *testing.T) {
	j := offlineJoin()
	for id := range uint64(maxWaiting) {
		callOn(j, id)
		j.flush()
	}
	j.close()
	var got []uint64
	j.drain(func(r *output.Record) { got = append(got, r.Call.Conn.ID) }, func() time.Duration { return 0 })
	if len(got) != maxWaiting || !slices.IsSorted(got) {
		t.Errorf("%d calls of %d", len(got), maxWaiting)
	}
}

// Calls whose captures say much of them take more room than there is, all that are not
// sent yet together.
func TestJoinHasRoomForLargeNotes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		j := offlineJoin()
		const calls = 200
		note := &imds.Note{Comment: strings.Repeat("x", math.MaxUint16)} // as long as one is in pcapng
		go func() {
			for range calls {
				j.Opened(imds.Conn{})
				j.Call(imds.Call{Request: imds.Request{Target: "/latest", Note: note}})
			}
			j.close()
		}()
		got := 0
		j.drain(func(*output.Record) { got++ }, func() time.Duration { return 0 })
		if got != calls {
			t.Errorf("%d calls of %d", got, calls)
		}
	})
}

// Each call comes out with the response that it had, or without, although they all came in the
// same room.
func TestJoinKeepsResponses(t *testing.T) {
	j := offlineJoin()
	const calls = 2*batchSize + 1
	j.Opened(imds.Conn{})
	var response imds.Response
	for status := range calls {
		response.Status = status
		c := imds.Call{Response: &response}
		if status == 0 {
			c.Response = nil
		}
		j.Call(c)
	}
	j.close()
	got := 0
	j.drain(func(r *output.Record) {
		if given := r.Call.Response; (given != nil) != (got > 0) || given != nil && given.Status != got {
			t.Errorf("call %d has the response %+v", got, given)
		}
		got++
	}, func() time.Duration { return 0 })
	if got != calls {
		t.Errorf("%d calls of %d", got, calls)
	}
}

// Calls come out with the next flush, and lines about the capture behind them.
func TestJoinKeepsOrder(t *testing.T) {
	j := offlineJoin()
	var got []string
	callOn(j, 1)
	j.lifecycle(func() { got = append(got, "line") })
	callOn(j, 2)
	j.close()
	j.drain(func(*output.Record) { got = append(got, "call") }, func() time.Duration { return 0 })
	if !slices.Equal(got, []string{"call", "line", "call"}) {
		t.Error(got)
	}
}

// What cannot be done when nothing comes is done later, though nothing comes.
func TestJoinIsIdleAgain(t *testing.T) {
	j := offlineJoin()
	asked, again := 0, make(chan struct{})
	go func() {
		<-again
		callOn(j, 1)
		j.close()
	}()
	calls := 0
	j.drain(func(*output.Record) { calls++ }, func() time.Duration {
		switch asked++; asked {
		case 1:
			return time.Nanosecond
		case 2:
			close(again)
		}
		return 0
	})
	if asked < 2 || calls != 1 {
		t.Errorf("asked %d times, %d calls", asked, calls)
	}
}

// silent never answers.
type silent struct{ attribution.Resolver }

func (silent) Seen(attribution.Tuple, time.Time) *attribution.Pending { return &attribution.Pending{} }
func (silent) SeenOpen(attribution.Tuple, time.Time) *attribution.Pending {
	return &attribution.Pending{}
}

// Connections that wait for their processes take no goroutine each, which would be
// megabytes of stacks.
func TestJoinWaitsWithoutGoroutines(t *testing.T) {
	const connections = 1000
	j := newJoin(silent{attribution.NewOffline()}, identity.New(identity.Options{}))
	before := runtime.NumGoroutine()
	for id := range uint64(connections) {
		j.Opened(imds.Conn{ID: id})
	}
	if more := runtime.NumGoroutine() - before; more >= connections/2 {
		t.Errorf("%d goroutines more", more)
	}
}
