package cli_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"
	"time"
)

// connection is one to the service that the test itself has: what is sent on
// it, and when, is the test's.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

// connect connects the host with the service.
func (s *site) connect(t *testing.T, service netip.Addr) *connection {
	t.Helper()
	var conn net.Conn
	err := s.host.do(func() (err error) {
		conn, err = net.DialTimeout("tcp", netip.AddrPortFrom(service, 80).String(), patience)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &connection{conn, bufio.NewReader(conn)}
}

// send sends the text as it is.
func (c *connection) send(t *testing.T, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

// get gets the target without a token, and keeps the connection.
func (c *connection) get(t *testing.T, target string) {
	t.Helper()
	c.send(t, "GET "+target+" HTTP/1.1\r\nHost: "+service4.String()+"\r\n\r\n")
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
}
