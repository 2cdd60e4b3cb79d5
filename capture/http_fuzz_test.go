package capture_test

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/textproto"
	"regexp"
	"strings"
	"testing"

	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// fuzzToken has no value that recorder looks for: a fuzzer may make it a target.
const fuzzToken = "X-aws-ec2-metadata-token: abc"

// maxFuzzText bounds the texts of fuzz inputs, to keep each run short.
const maxFuzzText = 4 << 10

// pieces cuts a text into segments of size bytes.
func pieces(text []byte, size int) (list []string) {
	for len(text) > 0 {
		n := min(size, len(text))
		list = append(list, string(text[:n]))
		text = text[n:]
	}
	return list
}

// FuzzRequests: the requests that net/http's server reads one behind the other are
// found, with their method, target and version, however they come in segments.
func FuzzRequests(f *testing.F) {
	f.Add([]byte(get("/latest/meta-data/")+put()), uint16(1))
	f.Add([]byte("GET / HTTP/1.0\n\n"), uint16(7))
	f.Add([]byte("\r\n\r\n"+upload("POST", "/x", "GET /evil HTTP/1.1\r\n\r\n", fuzzToken)+get("/y")), uint16(100))
	f.Add([]byte(chunkedUpload("PUT", "/x", "3;a=b\r\nabc\r\n0\r\nT: u\r\n\r\n")+get("/y", fuzzToken)), uint16(13))
	f.Add([]byte("GET http://169.254.169.254/latest HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n"), uint16(3))
	f.Fuzz(func(t *testing.T, text []byte, size uint16) {
		if len(text) > maxFuzzText {
			return
		}
		want, clean := requestsOf(text)
		c := packettest.New()
		c.Open()
		c.Client(pieces(text, 1+int(size)%1448)...)
		got := found(t, nil, c.Packets())
		for i, w := range want {
			if i >= len(got.calls) {
				t.Fatalf("%d calls, net/http reads %d: %q", len(got.calls), len(want), text)
			}
			checkRequest(t, &got.calls[i].Request, w)
		}
		if clean && len(got.calls) != len(want) {
			t.Errorf("%d calls, net/http reads %d and no more: %q", len(got.calls), len(want), text)
		}
	})
}

func checkRequest(t *testing.T, r *imds.Request, want *http.Request) {
	t.Helper()
	if !isShown(r.Method, want.Method) || r.Incomplete != imds.Whole {
		t.Errorf("method %q, incomplete %q, want %q", r.Method, r.Incomplete, want.Method)
	}
	if r.Target != want.RequestURI {
		t.Errorf("target %q, want %q", r.Target, want.RequestURI)
	}
	if _, ok := want.Header[textproto.CanonicalMIMEHeaderKey(imds.TokenField)]; ok != r.TokenHeader {
		t.Errorf("token %v, net/http reads %q", r.TokenHeader, want.Header)
	}
}

// isShown reports whether the method is the one that was sent or, where part of that cannot be one
// of HTTP's and may be the rest of a body, is without that part.
func isShown(method, sent string) bool {
	const capitals = "ABCDEFGHIJKLMNOPQRSTUVWXYZ-"
	switch method {
	case sent:
		return true
	case imds.Redacted:
		return strings.Trim(sent, capitals) != ""
	case "GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH":
		return strings.HasSuffix(sent, method)
	}
	return false
}

// requestsOf are the requests that net/http's server would read from the text. It
// stops where programs differ: at what is tunnelled, at both ways of framing at
// once, and at bodies that may not come. clean: it has read all, and nothing is left.
func requestsOf(text []byte) (list []*http.Request, clean bool) {
	b := bufio.NewReader(bytes.NewReader(text))
	for {
		r, err := http.ReadRequest(b)
		if err != nil || r.ProtoMajor != 1 || r.Method == http.MethodConnect || len(r.Method) > 32 {
			return list, errors.Is(err, io.EOF) && isAtEnd(b)
		}
		list = append(list, r)
		_, err = io.Copy(io.Discard, r.Body)
		if err != nil || r.Header.Get("Expect") != "" || r.Header.Get("Upgrade") != "" {
			return list, false
		}
	}
}

func isAtEnd(b *bufio.Reader) bool {
	_, err := b.Peek(1)
	return errors.Is(err, io.EOF)
}

// FuzzResponses: the answers that net/http's client reads are found with their
// status, however they come in segments.
func FuzzResponses(f *testing.F) {
	f.Add([]byte(ok()+answer("404 Not Found", "GET /")), uint16(1))
	f.Add([]byte("HTTP/1.1 100 Continue\r\n\r\n"+chunkedAnswer("200 OK", "3\r\nabc\r\n0\r\n\r\n")+ok()), uint16(9))
	f.Add([]byte("HTTP/1.0 401\nServer: EC2ws\n\nrest of it"), uint16(20))
	f.Add([]byte(message("HTTP/1.1 204 No Content")+message("HTTP/1.1 304 Not Modified", "Content-Length: 5")+ok()), uint16(300))
	f.Fuzz(func(t *testing.T, text []byte, size uint16) {
		if len(text) > maxFuzzText || moreBlanks.Match(text) {
			return
		}
		want := statusesOf(text)
		c := packettest.New()
		c.Open()
		c.Client(strings.Repeat(get("/"), fuzzAsked))
		c.Server(pieces(text, 1+int(size)%1448)...)
		got := found(t, nil, c.Packets())
		for i, status := range want {
			if r := got.calls[i].Response; r == nil || r.Status != status {
				t.Errorf("answer %d is %+v, net/http reads %d", i, r, status)
			}
		}
	})
}

// moreBlanks is what only lenient clients take for the beginning of a status line
// (RFC 9112, section 4).
var moreBlanks = regexp.MustCompile(`HTTP/1\.[0-9] +[^0-9]`)

// fuzzAsked is how many requests FuzzResponses has answered at most.
const fuzzAsked = 5

// statusesOf are those of the final responses that net/http's client would read.
func statusesOf(text []byte) (list []int) {
	b := bufio.NewReader(bytes.NewReader(text))
	for len(list) < fuzzAsked {
		r, err := http.ReadResponse(b, &http.Request{Method: http.MethodGet})
		if err != nil || r.ProtoMajor != 1 || r.StatusCode < 100 || r.StatusCode == http.StatusSwitchingProtocols {
			return list
		}
		if r.StatusCode >= 200 {
			list = append(list, r.StatusCode)
		}
		if _, err := io.Copy(io.Discard, r.Body); err != nil {
			return list
		}
	}
	return list
}
