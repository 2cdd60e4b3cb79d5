package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"sync"
	"time"
)

// access is a line of the stand-in's access log.
type access struct {
	Time         time.Time
	Client       string // address and port
	Method       string
	Target       string
	Version      string // v1 or v2, by what came
	TokenRequest bool
	Status       int
	UserAgent    string
}

// The words of the service.
const (
	tokenTarget  = "/latest/api/token"
	tokenHeader  = "X-aws-ec2-metadata-token"
	tokenTTL     = "X-aws-ec2-metadata-token-ttl-seconds"
	token        = "AQAEAStandInTokenThatOpensNothing=="
	inFlight     = "/latest/in-flight" // is answered late
	inFlightTime = 2 * time.Second
)

// service is a stand-in for the metadata service. A call is in its log before it
// is answered.
type service struct {
	tree tree
	mu   sync.Mutex // guards log
	log  io.Writer
	err  error // of the log
}

func runServe(ctx context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	address := flags.String("listen", "169.254.169.254:80", "the `address` to listen at")
	logName := flags.String("log", "access.log", "the `file` for the access log")
	mac := flags.String("mac", "", "the `address` of the machine's interface")
	userData := flags.String("user-data", "", "the `file` with the user data")
	if err := parse(flags, args); err != nil {
		return err
	}
	data, err := os.ReadFile(*userData)
	if err != nil {
		return err
	}
	log, err := os.OpenFile(*logName, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		return err
	}
	fmt.Fprintln(out, "listening") // the script waits for it
	ctx, stop := signal.NotifyContext(ctx, terminated)
	defer stop()
	return (&service{tree: instance(*mac, string(data)), log: log}).serve(ctx, listener)
}

// serve answers until the context ends, and returns what was wrong with the log.
func (s *service) serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{Handler: s}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

// ServeHTTP implements http.Handler.
func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := access{
		Time: time.Now(), Client: r.RemoteAddr, Method: r.Method, Target: r.RequestURI, Version: "v1",
		TokenRequest: r.Method == http.MethodPut && r.URL.Path == tokenTarget, UserAgent: r.UserAgent(),
	}
	if r.Header.Get(tokenHeader) != "" || a.TokenRequest {
		a.Version = "v2"
	}
	var body string
	a.Status, body = s.answer(r, &a)
	s.write(&a)
	if r.URL.Path == inFlight {
		select {
		case <-time.After(inFlightTime):
		case <-r.Context().Done():
		}
	}
	if a.TokenRequest {
		w.Header().Set(tokenTTL, r.Header.Get(tokenTTL))
	}
	w.Header().Set("Content-Type", "text/plain")
	w.Header().Set("Server", "EC2ws")
	w.WriteHeader(a.Status)
	_, _ = io.WriteString(w, body)
}

func (s *service) answer(r *http.Request, a *access) (status int, body string) {
	switch given := r.Header.Get(tokenHeader); {
	case a.TokenRequest && r.Header.Get(tokenTTL) == "":
		return http.StatusBadRequest, ""
	case a.TokenRequest:
		return http.StatusOK, token
	case given != "" && given != token:
		return http.StatusUnauthorized, ""
	}
	body, ok := s.tree.get(r.URL.Path)
	if !ok {
		return http.StatusNotFound, ""
	}
	return http.StatusOK, body
}

func (s *service) write(a *access) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.err = errors.Join(s.err, json.NewEncoder(s.log).Encode(a))
}
