package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"time"
)

// token is what the stand-in for the metadata service hands out. It opens
// nothing. client.c knows it.
const token = "benchmark"

// serve answers connections, after the delay, until the listener is closed. How
// long a client lives depends on how fast it is answered: to be able to be fast
// this does without what net/http's server adds to each connection.
func serve(listener net.Listener, delay time.Duration) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go converse(conn, delay)
	}
}

// converse answers the requests of one connection.
func converse(conn net.Conn, delay time.Duration) {
	defer conn.Close()
	for requests := bufio.NewReaderSize(conn, 1024); ; {
		request, err := http.ReadRequest(requests)
		if err != nil {
			return
		}
		if delay > 0 {
			time.Sleep(delay)
		}
		if _, err := conn.Write(respond(request)); err != nil {
			return
		}
	}
}

// respond answers like the metadata service with IMDSv2 optional.
func respond(request *http.Request) []byte {
	status, body := http.StatusOK, "i-0123456789abcdef0"
	tokens, withToken := request.Header["X-Aws-Ec2-Metadata-Token"]
	switch {
	case request.Method == http.MethodPut:
		body = token
	case withToken && tokens[0] != token:
		status, body = http.StatusUnauthorized, ""
	}
	return fmt.Appendf(nil, "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s", status, http.StatusText(status), len(body), body)
}
