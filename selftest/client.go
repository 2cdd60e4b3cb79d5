//go:build linux

package selftest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// The ways in which a child calls the service.
const (
	getAndExit   = "get"             // v1, reads the answer, ends at once
	getUnread    = "get-unread"      // v1, ends without reading the answer
	tokenAndGet  = "token+get"       // v2, on one connection
	tokenThenGet = "token, then get" // v2, a connection for each
	stay         = "stay"            // v1, then lives on until told to end
)

// Client makes the calls that kind names to the service at addr, for target.
// A child that stays ends when standard input does.
func Client(kind, addr, target string) error {
	c := &caller{addr: addr}
	switch kind {
	case getAndExit:
		return c.get(target, "")
	case getUnread:
		return c.send("GET", target, "")
	case tokenAndGet:
		return c.withToken(target, false)
	case tokenThenGet:
		return c.withToken(target, true)
	case stay:
		if err := c.get(target, ""); err != nil {
			return err
		}
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	return fmt.Errorf("unknown kind of client %q", kind)
}

// caller is a minimal HTTP client: what it sends, and when it ends, is ours.
type caller struct {
	addr   string
	conn   net.Conn
	reader *bufio.Reader
}

// clientTimeout bounds each step of a client. Nothing here takes a second.
const clientTimeout = 5 * time.Second

func (c *caller) send(method, target, fields string) error {
	if c.conn == nil {
		conn, err := net.DialTimeout("tcp", c.addr, clientTimeout)
		if err != nil {
			return err
		}
		c.conn, c.reader = conn, bufio.NewReader(conn)
	}
	_, err := fmt.Fprintf(c.conn, "%s %s HTTP/1.1\r\nHost: %s\r\nUser-Agent: imds-analyzer-selftest\r\n%s\r\n", method, target, c.addr, fields)
	return err
}

func (c *caller) receive() (string, error) {
	if err := c.conn.SetReadDeadline(time.Now().Add(clientTimeout)); err != nil {
		return "", err
	}
	response, err := readMessage(c.reader)
	if err == nil && response.start[1] != "200" {
		err = fmt.Errorf("the stand-in service answered %s %s", response.start[1], response.start[2])
	}
	return response.body, err
}

func (c *caller) get(target, fields string) error {
	if err := c.send("GET", target, fields); err != nil {
		return err
	}
	_, err := c.receive()
	return err
}

func (c *caller) withToken(target string, reconnect bool) error {
	if err := c.send("PUT", tokenTarget(target), "X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n"); err != nil {
		return err
	}
	got, err := c.receive()
	if err != nil {
		return err
	}
	if reconnect {
		_ = c.conn.Close()
		c.conn = nil
	}
	return c.get(target, "X-aws-ec2-metadata-token: "+got+"\r\n")
}

// tokenTarget is the target of the token request before a call of target. The
// query tells it from those of other clients.
func tokenTarget(target string) string { return tokenPath + "?for=" + target }
