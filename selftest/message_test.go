package selftest

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
)

func TestReadMessage(t *testing.T) {
	for _, test := range []struct{ name, in, want string }{
		{"request", "GET /a HTTP/1.1\r\nHost: x\r\n\r\n", "[GET /a HTTP/1.1] x "},
		{"request with an empty body", "PUT /a HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "[PUT /a HTTP/1.1]  "},
		{"response", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", "[HTTP/1.1 200 OK]  hello"},
		{"reason of several words", "HTTP/1.1 404 Not Found\r\nHost: x\r\n\r\n", "[HTTP/1.1 404 Not Found] x "},
	} {
		m, err := readMessage(bufio.NewReader(strings.NewReader(test.in)))
		if got := fmt.Sprint(m.start, " ", m.fields.Get("Host"), " ", m.body); got != test.want || err != nil {
			t.Errorf("%s: %q, %v", test.name, got, err)
		}
	}
}

func TestReadMessageBroken(t *testing.T) {
	for _, in := range []string{
		"hello\r\n\r\n", "GET /\r\n\r\n", "GET / HTTP/1.1\r\nno field\r\n\r\n", "GET / HTTP/1.1\r\nHost: x",
		"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell", "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n",
	} {
		if m, err := readMessage(bufio.NewReader(strings.NewReader(in))); !errors.Is(err, errMessage) {
			t.Errorf("%q: %v, %v", in, m, err)
		}
	}
	if _, err := readMessage(bufio.NewReader(strings.NewReader(""))); !errors.Is(err, io.EOF) {
		t.Errorf("nothing: %v", err)
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\n\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		r := bufio.NewReader(strings.NewReader(in))
		for n := 0; ; n++ {
			m, err := readMessage(r)
			if err != nil {
				return
			}
			if len(m.body) > maxBody || n > len(in) {
				t.Fatalf("%d bytes in message %d of %d bytes", len(m.body), n, len(in))
			}
		}
	})
}
