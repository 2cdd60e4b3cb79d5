package capture_test

import (
	"fmt"
	"strings"
)

// The texts that the corpus's clients and services say.

// tokenField is a header field with a session token.
const tokenField = "X-aws-ec2-metadata-token: " + secret + "g7Lm=="

// ttlField is what a client that asks for a token sends.
const ttlField = "X-aws-ec2-metadata-token-ttl-seconds: 21600"

// message is a start line with fields, and a blank line at the end.
func message(startLine string, fields ...string) string {
	lines := append([]string{startLine}, fields...)
	return strings.Join(lines, "\r\n") + "\r\n\r\n"
}

// request is a request as curl writes it, with more fields at its end.
func request(method, target string, fields ...string) string {
	return message(method+" "+target+" HTTP/1.1",
		append([]string{"Host: 169.254.169.254", "User-Agent: curl/8.5.0", "Accept: */*"}, fields...)...)
}

func get(target string, fields ...string) string { return request("GET", target, fields...) }

// put is a token request without a body.
func put() string { return request("PUT", "/latest/api/token", ttlField) }

// upload is a request with a body that it gives the length of.
func upload(method, target, body string, fields ...string) string {
	return request(method, target, append(fields, length(body))...) + body
}

// chunkedUpload is a request with a chunked body, written as given.
func chunkedUpload(method, target, chunks string, fields ...string) string {
	return request(method, target, append(fields, "Transfer-Encoding: chunked")...) + chunks
}

func length(body string) string { return fmt.Sprintf("Content-Length: %d", len(body)) }

// answer is a response with a body that it gives the length of.
func answer(status, body string, fields ...string) string {
	return message("HTTP/1.1 "+status, append(append([]string{"Server: EC2ws"}, fields...), length(body))...) + body
}

// ok is a short answer.
func ok() string { return answer("200 OK", "i-0123456789abcdef0") }

// tokenAnswer is the answer to put.
func tokenAnswer() string { return answer("200 OK", secret+"g7Lm==") }

// chunkedAnswer is a response with a chunked body, written as given.
func chunkedAnswer(status, chunks string) string {
	return message("HTTP/1.1 "+status, "Transfer-Encoding: chunked") + chunks
}

// text is n bytes in lines that mean nothing.
func text(n int) string {
	const some = "Lorem ipsum dolor sit amet, consectetur adipiscing elit sed do\r\n"
	return strings.Repeat(some, n/len(some)+1)[:n]
}
