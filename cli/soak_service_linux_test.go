//go:build soak

package cli_test

import (
	"io"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
)

// soakAccess is a stand-in for the metadata service whose access log is kept by
// lane: whoever calls from an address of a lane is the one that runs there.
type soakAccess struct {
	lanes map[netip.Addr]*lane
	mu    sync.Mutex // guards strangers
	// strangers are calls from addresses that no lane has.
	strangers []call
}

// lane is a place in which one client runs at a time.
type lane struct {
	name      string
	addresses []netip.Addr // as the service sees them

	mu      sync.Mutex // guards what follows
	rules   rules
	calls   []call
	pending int // calls without an answer, and that will have one or none
}

func newLane(name string, addresses ...string) *lane {
	l := &lane{name: name}
	for _, text := range addresses {
		l.addresses = append(l.addresses, netip.MustParseAddr(text))
	}
	return l
}

// follow makes the service answer this lane by other rules.
func (l *lane) follow(r rules) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.rules = r
}

// begin writes a call down.
func (l *lane) begin(c call) (index int, r rules) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending++
	l.calls = append(l.calls, c)
	return len(l.calls) - 1, l.rules
}

// end writes down how it was answered, with 0 if it was not.
func (l *lane) end(index, status int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.calls[index].status = status
	l.pending--
}

// soFar is how many calls came since the last take.
func (l *lane) soFar() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.calls)
}

// take returns the calls since the last take, as soon as each has its answer.
func (l *lane) take(t *testing.T) (calls []call) {
	t.Helper()
	eventually(t, "the answers to calls of lane "+l.name, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.pending > 0 {
			return false
		}
		calls, l.calls = l.calls, nil
		return true
	})
	return calls
}

// startSoakService starts the service for the lanes.
func startSoakService(t *testing.T, far *namespace, lanes []*lane) *soakAccess {
	t.Helper()
	s := &soakAccess{lanes: map[netip.Addr]*lane{}}
	for _, l := range lanes {
		for _, address := range l.addresses {
			s.lanes[address] = l
		}
	}
	serve(t, far, s)
	return s
}

// ServeHTTP implements http.Handler. A call is in the log before it is answered,
// and with its status before that is sent.
func (s *soakAccess) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c := accessOf(r)
	l := s.lanes[c.source.Addr()]
	if l == nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.strangers = append(s.strangers, c)
		return
	}
	index, rules := l.begin(c)
	status, body := soakAnswer(&rules, &c)
	if status == 0 || !stays(r, rules.delay) {
		<-r.Context().Done()
		l.end(index, 0)
		panic(http.ErrAbortHandler)
	}
	l.end(index, status)
	const lifetime = "X-Aws-Ec2-Metadata-Token-Ttl-Seconds"
	if c.tokenRequest {
		w.Header().Set(lifetime, r.Header.Get(lifetime)) // without it, SDKs ask without end
	}
	w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = io.WriteString(w, body)
	}
}

// soakRole is the role whose credentials SDKs ask for.
const soakRole = "soak-role"

// soakAnswer is standIn's with what SDKs ask for, and with paths that do not exist.
func soakAnswer(r *rules, c *call) (status int, body string) {
	status, body = r.answer(c)
	switch {
	case status != http.StatusOK:
	case strings.HasSuffix(c.target, "/absent"):
		return http.StatusNotFound, ""
	case c.target == credentialPaths || c.target+"/" == credentialPaths:
		return status, soakRole
	}
	return status, body
}
