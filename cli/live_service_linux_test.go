package cli_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// standIn is a stand-in for the metadata service, with an access log.
type standIn struct {
	log   watched[call]
	mu    sync.Mutex // guards rules
	rules rules
}

// rules say how the service answers.
type rules struct {
	// delay is how long every answer takes. No client has ended before.
	delay time.Duration
	// v1Refused: calls without a token are answered with 401 (IMDSv2 required).
	v1Refused bool
	// tokenRefused: there are no tokens, as for a client with X-Forwarded-For.
	// tokenUnanswered: nor any answer, as when the hop limit is too small.
	tokenRefused, tokenUnanswered bool
	// tokenHopLimit is the hop limit of tokens, 0 for the usual one.
	tokenHopLimit int
}

// What the service knows and no output may tell. None of it opens anything.
const (
	standInToken       = "AQAEAPlanted0TokenThatOpensNothing-bqVjHwQ_tXw3sNfQ2L0zKg=="
	standInKeyID       = "ASIAPLANTED0KEY0ID00"
	standInSecret      = "pLaNtEd/sEcReT+kEy0tHaT0oPeNs0nOtHiNg0aT0"
	standInCredentials = `{"Code":"Success","Type":"AWS-HMAC","AccessKeyId":"` + standInKeyID + `","SecretAccessKey":"` + standInSecret +
		`","Token":"` + standInToken + `","Expiration":"2026-11-23T10:00:00Z"}`
)

const (
	tokenTarget     = "/latest/api/token"
	tokenHeader     = "X-Aws-Ec2-Metadata-Token"
	credentialPaths = "/latest/meta-data/iam/security-credentials/"
)

// startService starts the service in the namespace.
func startService(t *testing.T, n *namespace) *standIn {
	t.Helper()
	s := &standIn{}
	serve(t, n, s)
	return s
}

// serve has the handler answer in the namespace until the test ends.
func serve(t *testing.T, n *namespace, handler http.Handler) {
	t.Helper()
	var listener net.Listener
	err := n.do(func() (err error) {
		listener, err = net.Listen("tcp", ":80")
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ConnContext: withConn}
	var serving sync.WaitGroup
	serving.Go(func() { _ = server.Serve(listener) })
	t.Cleanup(func() {
		_ = server.Close()
		serving.Wait()
	})
}

// follow makes the service answer by other rules.
func (s *standIn) follow(r rules) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.rules = r
}

func (s *standIn) currentRules() rules {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.rules
}

// ServeHTTP implements http.Handler. A call is in the log before it is
// answered.
func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, rules := accessOf(r), s.currentRules()
	index := s.log.add(c)
	stays(r, rules.delay)
	status, body := rules.answer(&c)
	if status == 0 {
		<-r.Context().Done() // the client gave up
		panic(http.ErrAbortHandler)
	}
	s.log.alter(func() { s.log.list[index].status = status })
	if c.tokenRequest && rules.tokenHopLimit > 0 {
		limitHops(r.Context().Value(connKey{}).(*net.TCPConn), rules.tokenHopLimit)
		w.Header().Set("Connection", "close")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// stays waits for so long, and reports whether the client did too. It wakes ten times: while
// the machine stalls the program cannot look at the client either, and the most that this takes
// of its time is one of the ten.
func stays(r *http.Request, delay time.Duration) bool {
	for range 10 {
		select {
		case <-time.After(delay / 10):
		case <-r.Context().Done():
			return false
		}
	}
	return true
}

// connKey is the key of a request's connection in its context.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

// limitHops gives what is sent on a connection from now on a hop limit, also what is
// sent again.
func limitHops(c *net.TCPConn, limit int) {
	raw, err := c.SyscallConn()
	if err != nil {
		panic(err)
	}
	err = raw.Control(func(fd uintptr) {
		err4 := unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_TTL, limit)
		err6 := unix.SetsockoptInt(int(fd), unix.IPPROTO_IPV6, unix.IPV6_UNICAST_HOPS, limit)
		if err := errors.Join(err4, err6); err != nil {
			panic(err) // the server tells, and the token comes as usual
		}
	})
	if err != nil {
		panic(err)
	}
}

// accessOf is what the access log has of a request.
func accessOf(r *http.Request) call {
	service := r.Context().Value(http.LocalAddrContextKey).(*net.TCPAddr).AddrPort().Addr()
	client := netip.MustParseAddrPort(r.RemoteAddr)
	c := call{
		source:       netip.AddrPortFrom(client.Addr().Unmap(), client.Port()),
		service:      service.Unmap(),
		method:       r.Method,
		target:       r.RequestURI,
		version:      "v1",
		userAgent:    r.UserAgent(),
		tokenRequest: r.Method == http.MethodPut && r.RequestURI == tokenTarget,
	}
	if _, hasToken := r.Header[tokenHeader]; hasToken || c.tokenRequest {
		c.version = "v2"
	}
	return c
}

// answer returns what a call is answered with, the status 0 if it is not.
func (r *rules) answer(c *call) (status int, body string) {
	switch {
	case c.tokenRequest && r.tokenUnanswered:
		return 0, ""
	case c.tokenRequest && r.tokenRefused:
		return http.StatusForbidden, ""
	case c.tokenRequest:
		return http.StatusOK, standInToken
	case c.version == "v1" && r.v1Refused:
		return http.StatusUnauthorized, ""
	case strings.HasPrefix(c.target, credentialPaths):
		return http.StatusOK, standInCredentials
	}
	return http.StatusOK, "i-0123456789abcdef0"
}

// calls waits until the access log has n calls from the index on, and returns
// those.
func (s *standIn) calls(t *testing.T, from, n int) []call {
	t.Helper()
	log := s.log.wait(t, "a call to the service", func(log []call) bool { return len(log) >= from+n })
	if len(log) > from+n {
		t.Fatalf("%d calls came, not %d: %+v", len(log)-from, n, log[from:])
	}
	return log[from:]
}
