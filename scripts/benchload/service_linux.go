package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// The stand-in service and what it answers. The body opens nothing; client.c knows it
// for its token.
const (
	serviceAddress = "169.254.169.254"
	answerBody     = "benchmark"
)

// serve is the stand-in service, a process of its own. It says "ready" once it listens and
// "called" at the first call, and has written its access log to the file when it ends, as in
// does: the time, the method and the target of each request, of before its answer is sent.
func serve(args []string, in io.Reader, out io.Writer) error {
	if len(args) != 1 {
		return errUsage
	}
	file, err := os.Create(args[0])
	if err != nil {
		return err
	}
	defer file.Close()
	listener, err := net.Listen("tcp4", serviceAddress+":80")
	if err != nil {
		return err
	}
	s := &standIn{log: bufio.NewWriterSize(file, 1<<20), called: sync.OnceFunc(func() { fmt.Fprintln(out, "called") })}
	fmt.Fprintln(out, "ready")
	go s.accept(listener)
	_, _ = io.Copy(io.Discard, in)
	s.mu.Lock() // for good: what comes later is not answered
	return errors.Join(s.log.Flush(), file.Close())
}

type standIn struct {
	called func() // says so, once
	mu     sync.Mutex
	log    *bufio.Writer
}

func (s *standIn) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil {
			go s.converse(conn)
		}
	}
}

// converse answers requests that have no body, one after the other.
func (s *standIn) converse(conn net.Conn) {
	defer conn.Close()
	var buffer [1 << 10]byte
	for length := 0; ; {
		n, err := conn.Read(buffer[length:])
		if err != nil {
			return
		}
		length += n
		if !bytes.HasSuffix(buffer[:length], []byte("\r\n\r\n")) {
			continue
		}
		s.take(buffer[:length])
		s.called()
		length = 0
		if _, err := fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", len(answerBody), answerBody); err != nil {
			return
		}
	}
}

// take logs the request's line, without the version.
func (s *standIn) take(request []byte) {
	line, _, _ := bytes.Cut(request, []byte(" HTTP/1.1\r\n"))
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = s.log.WriteString(accessLine(time.Now(), string(line)))
}
