package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
)

// noted are the targets that the service logs; all others it counts.
const noted = "/latest/meta-data/"

// serve is the stand-in service, a process of its own. It says "ready" on out once it
// listens, and when in ends it writes its log there as JSON.
func serve(in io.Reader, out io.Writer) error {
	var listeners []net.Listener
	for _, address := range []string{service4, service6} {
		silent := net.ListenConfig{KeepAlive: -1} // until its clients say something
		listener, err := silent.Listen(context.Background(), "tcp", net.JoinHostPort(address, "80"))
		if err != nil {
			return err
		}
		listeners = append(listeners, listener)
	}
	s := &standIn{}
	for _, listener := range listeners {
		go s.accept(listener)
	}
	fmt.Fprintln(out, "ready")
	_, _ = io.Copy(io.Discard, in)
	s.mu.Lock()
	defer s.mu.Unlock()
	return json.NewEncoder(out).Encode(served{Log: s.log, Others: s.others.Load(), Accepted: s.accepted.Load()})
}

// standIn answers as the metadata service does, and what else attackers ask for.
type standIn struct {
	mu       sync.Mutex
	log      []access
	others   atomic.Uint64
	accepted atomic.Uint64
}

func (s *standIn) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			s.count(conn)
			go s.converse(conn)
		}
	}
}

func (s *standIn) count(conn net.Conn) {
	if ip, _, err := net.SplitHostPort(conn.RemoteAddr().String()); err == nil && isAttacker(ip) {
		s.accepted.Add(1)
	}
}

func (s *standIn) converse(conn net.Conn) {
	defer conn.Close()
	from := &cleaned{Reader: conn}
	in, out := bufio.NewReader(from), bufio.NewWriter(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		s.take(conn, request)
		from.inBody = true
		_, _ = io.Copy(io.Discard, request.Body)
		from.inBody = false
		answer(out, request)
		if in.Buffered() > 0 {
			continue // of pipelined requests the answers go together
		}
		if out.Flush() != nil {
			return
		}
	}
}

// cleaned is what a client sends, without control characters in the heads of requests:
// servers other than Go's take them in fields.
type cleaned struct {
	io.Reader
	inBody bool
}

func (c *cleaned) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	for i, b := range p[:n] {
		if c.inBody {
			break
		}
		if b < ' ' && b != '\t' && b != '\r' && b != '\n' || b == 0x7f {
			p[i] = '?'
		}
	}
	return n, err
}

func (s *standIn) take(conn net.Conn, request *http.Request) {
	token := request.Header.Get("X-Aws-Ec2-Metadata-Token") != ""
	switch {
	case strings.HasPrefix(request.RequestURI, honestToken):
		return // goes with the call that follows
	case request.RequestURI == probePath:
		return
	case !strings.HasPrefix(request.RequestURI, noted):
		s.others.Add(1)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.log = append(s.log, access{From: conn.RemoteAddr().String(), Target: request.RequestURI, Method: request.Method, V2: token})
}

// answer writes the answer. The path says what is asked for, the query how much.
func answer(out *bufio.Writer, request *http.Request) {
	n, _ := strconv.ParseInt(request.URL.RawQuery, 10, 64)
	switch request.URL.Path {
	case "/large":
		fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n", n)
		_, _ = io.CopyN(out, zeros{}, n)
	case "/chunks":
		fmt.Fprint(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
		for ; n > 0; n-- {
			fmt.Fprint(out, "1\r\nx\r\n")
		}
		fmt.Fprint(out, "0\r\n\r\n")
	case "/hints":
		for ; n > 0; n-- {
			fmt.Fprint(out, "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")
		}
		fallthrough
	default:
		const body = "AQAEAtoken-that-opens-nothing=="
		fmt.Fprintf(out, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

// service is the stand-in service as its parent sees it.
type service struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	output *bufio.Reader
}

func startService(ctx context.Context) (*service, error) {
	s := &service{cmd: exec.CommandContext(ctx, self, roleService)}
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	s.cmd.Stderr = os.Stderr
	var err error
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	s.output = bufio.NewReader(out)
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	if _, err := s.output.ReadString('\n'); err != nil {
		s.close()
		return nil, fmt.Errorf("the stand-in service did not start: %w", err)
	}
	return s, nil
}

// stop ends the service and returns what it has answered.
func (s *service) stop() (served, error) {
	var all served
	_ = s.stdin.Close()
	err := json.NewDecoder(s.output).Decode(&all)
	return all, err
}

func (s *service) close() {
	_ = s.stdin.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}
