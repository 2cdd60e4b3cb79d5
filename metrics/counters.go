// Package metrics counts the calls of a capture for those who watch many machines, and
// writes the counts in the text format of Prometheus. What it says every local user may
// read: programs are named by their paths, and nothing else tells of a call's content.
package metrics

import (
	"strconv"

	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// Counters count calls by what the summary does not tell apart. Their number is bounded,
// and none of them ever goes down. They are not safe for concurrent use.
type Counters struct {
	calls       map[callKind]uint64
	attributed  map[attributed]uint64
	tokenless   map[output.Tokenless]uint64
	credentials uint64 // over version 1
	programs    programs
}

// callKind is a version, and a status as statusOf tells it.
type callKind struct{ version, status string }

// attributed is how the search for a process went, and by which way.
type attributed struct{ status, method string }

// New returns counters that are 0.
func New() *Counters {
	c := &Counters{
		calls:      map[callKind]uint64{},
		attributed: map[attributed]uint64{},
		tokenless:  map[output.Tokenless]uint64{},
		programs:   programs{counts: map[string]uint64{}},
	}
	for _, v := range versions() { // a rate needs a value before the first call
		c.calls[callKind{v, "200"}] = 0
	}
	return c
}

func versions() []string {
	return []string{imds.V1.String(), imds.V2.String(), imds.VersionUnknown.String()}
}

// Call counts a call.
func (c *Counters) Call(e *output.Entry) {
	c.calls[callKind{e.IMDS.Version, statusOf(e.HTTP.Response.StatusCode)}]++
	c.attributed[attributed{e.IMDS.Attribution.Status, e.IMDS.Attribution.Method}]++
	if e.IMDS.Version != imds.V1.String() {
		return
	}
	c.tokenless[e.Tokenless()]++
	if e.GotCredentials() {
		c.credentials++
	}
	c.programs.add(e.Program())
}

// Statuses that are not told apart.
const (
	statusNone  = "none"  // no answer was seen
	statusOther = "other" // no status of HTTP (RFC 9110, section 15)
)

// statusOf tells apart those statuses that the service is known to answer with. Of the
// others it tells the class, as 5xx: anybody can answer in the place of the service, with
// a thousand statuses.
func statusOf(status int) string {
	switch status {
	case 0:
		return statusNone
	case 200, 400, 401, 403, 404, 405, 503:
		return strconv.Itoa(status)
	}
	if status < 100 || status > 599 {
		return statusOther
	}
	return strconv.Itoa(status/100) + "xx"
}
