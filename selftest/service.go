//go:build linux

package selftest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
)

// served is a line of the stand-in service's access log.
type served struct {
	Target string `json:"target"`
	Method string `json:"method"`
	V2     bool   `json:"v2"`
	Status int    `json:"status"`
}

// token is what the stand-in service hands out. It opens nothing.
const token = "AQAEAselftest-token-that-opens-nothing=="

const tokenPath = "/latest/api/token"

// serve is the stand-in for the metadata service, in a process and network
// namespace of its own. It says "ready" on out once it listens, then writes its
// access log there, and ends when in does.
func serve(in io.Reader, out io.Writer) error {
	input := bufio.NewReader(in)
	if _, err := input.ReadString('\n'); err != nil {
		return fmt.Errorf("was not told to start: %w", err)
	}
	if err := setUpServiceSide(); err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ":80")
	if err != nil {
		return fmt.Errorf("the stand-in service cannot listen: %w", err)
	}
	server := &http.Server{Handler: &standIn{log: json.NewEncoder(out)}}
	go func() {
		_, _ = io.Copy(io.Discard, input)
		_ = server.Close()
	}()
	fmt.Fprintln(out, "ready")
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// standIn answers like the metadata service with IMDSv2 optional.
type standIn struct {
	mu  sync.Mutex
	log *json.Encoder
}

func (s *standIn) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, withToken := r.Header["X-Aws-Ec2-Metadata-Token"]
	tokenRequest := r.Method == http.MethodPut && r.URL.Path == tokenPath
	status, body := http.StatusOK, "i-0123456789abcdef0"
	switch {
	case tokenRequest:
		body = token
	case withToken && r.Header.Get("X-Aws-Ec2-Metadata-Token") != token:
		status, body = http.StatusUnauthorized, ""
	}
	s.mu.Lock()
	_ = s.log.Encode(served{Target: r.RequestURI, Method: r.Method, V2: withToken || tokenRequest, Status: status})
	s.mu.Unlock()
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// Service runs the stand-in service on standard input and output.
func Service() error { return serve(os.Stdin, os.Stdout) }
