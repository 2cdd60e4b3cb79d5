package main

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
)

// token is what the stand-in for the metadata service hands out. It opens
// nothing. client.c knows it.
const token = "benchmark"

// serve answers connections until the listener is closed. A stand-in that is
// slow would have the clients live longer than they do with the real service:
// it does without what net/http's server adds to each connection.
func serve(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go converse(conn)
	}
}

// converse answers the requests of one connection.
func converse(conn net.Conn) {
	defer conn.Close()
	for requests := bufio.NewReaderSize(conn, 1024); ; {
		request, err := http.ReadRequest(requests)
		if err != nil {
			return
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
