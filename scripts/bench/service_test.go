package main

import (
	"bufio"
	"net"
	"net/http"
	"strings"
	"testing"
)

func TestRespond(t *testing.T) {
	const path = "/latest/meta-data/0/0/1/0"
	for name, test := range map[string]struct {
		request string
		status  int
		body    string
	}{
		"v1":            {"GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n", 200, "i-0123456789abcdef0"},
		"token":         {"PUT /latest/api/token HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 200, token},
		"v2":            {"GET " + path + " HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: " + token + "\r\n\r\n", 200, "i-0123456789abcdef0"},
		"another token": {"GET " + path + " HTTP/1.1\r\nHost: x\r\nX-aws-ec2-metadata-token: x\r\n\r\n", 401, ""},
	} {
		t.Run(name, func(t *testing.T) {
			request, err := http.ReadRequest(bufio.NewReader(strings.NewReader(test.request)))
			if err != nil {
				t.Fatal(err)
			}
			checkResponse(t, bufio.NewReader(strings.NewReader(string(respond(request)))), test.status, test.body)
		})
	}
}

func checkResponse(t *testing.T, from *bufio.Reader, status int, body string) {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var got strings.Builder
	if err := response.Write(&got); err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != status || !strings.HasSuffix(got.String(), "\r\n\r\n"+body) {
		t.Errorf("the answer is %q", &got)
	}
}

// A connection is kept for the next request, until the client closes it or
// sends what is no request.
func TestConverse(t *testing.T) {
	for _, last := range []string{"", "no request\r\n\r\n"} {
		near, far := net.Pipe()
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			converse(far, 1)
		}()
		answers := bufio.NewReader(near)
		for range 2 {
			if _, err := near.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			checkResponse(t, answers, 200, "i-0123456789abcdef0")
		}
		if _, err := near.Write([]byte(last)); err != nil {
			t.Fatal(err)
		}
		_ = near.Close()
		<-ended
	}
}
