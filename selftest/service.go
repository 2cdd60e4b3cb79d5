//go:build linux

package selftest

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
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
	go func() {
		_, _ = io.Copy(io.Discard, input)
		_ = listener.Close()
	}()
	fmt.Fprintln(out, "ready")
	s := &standIn{log: json.NewEncoder(out)}
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the stand-in service ended: %w", err)
		}
		go s.converse(conn)
	}
}

// standIn answers like the metadata service with IMDSv2 optional.
type standIn struct {
	mu  sync.Mutex
	log *json.Encoder
}

// converse answers the requests on a connection until its client ends it.
func (s *standIn) converse(conn net.Conn) {
	defer conn.Close()
	requests := bufio.NewReader(conn)
	for {
		request, err := readMessage(requests)
		if err != nil {
			return
		}
		if _, err := io.WriteString(conn, s.answer(request)); err != nil {
			return
		}
	}
}

// answer notes the request and returns the response.
func (s *standIn) answer(request message) string {
	method, target := request.start[0], request.start[1]
	path, _, _ := strings.Cut(target, "?")
	tokens, withToken := request.fields["X-Aws-Ec2-Metadata-Token"]
	tokenRequest := method == "PUT" && path == tokenPath
	status, reason, body := 200, "OK", "i-0123456789abcdef0"
	switch {
	case tokenRequest:
		body = token
	case withToken && tokens[0] != token:
		status, reason, body = 401, "Unauthorized", ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.log.Encode(served{Target: target, Method: method, V2: withToken || tokenRequest, Status: status})
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", status, reason, len(body), body)
}

// Service runs the stand-in service on standard input and output.
func Service() error { return serve(os.Stdin, os.Stdout) }
