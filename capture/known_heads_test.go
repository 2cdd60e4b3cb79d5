package capture

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

const (
	oneToken   = "AQAEAKxZ_-c3R5dGVzdHRva2VuZm9ydGVzdHNvbmx5MDEyMzQ1Njc4OQ=="
	otherToken = "AQAEAHd2_-b3RoZXJ0ZXN0dG9rZW5mb3J0ZXN0c29ubHkwMTIzNDU2Nw=="
)

// headWith is a head with one more line, or several, among others.
func headWith(line string) []byte {
	return []byte("GET /latest/meta-data/ HTTP/1.1\r\nHost: 169.254.169.254\r\n" + line + "\r\nUser-Agent: curl/8.5.0\r\n\r\n")
}

// tokenLines are lines of which no two say the same, but for the first ones.
func tokenLines() []string {
	const name = "X-aws-ec2-metadata-token: "
	return []string{
		name + oneToken, name + otherToken, strings.ToLower(name) + oneToken,
		"Accept: */*", name, name + "null", name + "short", name + oneToken + "<html>", name + oneToken + " " + oneToken,
		name + oneToken + "\r\n " + oneToken, name + "\r\n " + oneToken, name + "\t" + oneToken, name + " " + oneToken,
		"X-aws-ec2-metadata-token:" + oneToken, "X-aws-ec2-metadata-token:", "X-aws-ec2-metadata-token :" + oneToken,
		name + oneToken + "\r\n" + name + "null", name + "null\r\n" + name + oneToken,
		"X-aws-ec2-metadata-token-ttl-seconds: " + oneToken, "X-aws-ec2-metadata-token-ttl-seconds: 60",
		"X-aws-ec2-metadata-token-ttl-seconds: 61", "Cookie: " + name + oneToken, "Cookie: " + name + otherToken,
		"Cookie: a\r\n " + name + oneToken, "Cookie: a\nX-aws-ec2-metadata-token: " + oneToken,
		"X-Forwarded-For: " + oneToken, "X-Forwarded-For: " + otherToken, "Content-Length: 3", "Content-Length: 4",
		name + "unauthorized", name + strings.Repeat("a", minUsualToken-1), name + strings.Repeat("a", minUsualToken),
		name + "\nX-aws-ec2-metadata-token-ttl-seconds: 60", name + "\nX-aaaaaaaaaaaaaaaaaaaaaaaaaaa-seconds: 60",
		name + "\r\nX-aws-ec2-metadata-token-ttl-seconds: 60", name + "\r\nX-aaaaaaaaaaaaaaaaaaaaaaaaaaa-seconds: 60",
		"X-aws-ec2-metadata-token:\nTransfer-Encoding: chunked", "X-aws-ec2-metadata-token:\nX-aaaaaaaaaaaaaaa: chunked",
		"Transfer-Encoding: chunked", "Expect: 100-continue", "Host: " + oneToken,
	}
}

// Whatever was read before, in a head is read what it says.
func TestKnownHeadsReadTheSame(t *testing.T) {
	checkKnownHeads(t, []byte("what is no head\r\n\r\n"), []byte("what is no head\r\n\r\n"))
	long := "X-aws-ec2-metadata-token: " + strings.Repeat("A", maxKnownHead)
	lines := append(tokenLines(), long, long+"<")
	for _, before := range lines {
		for _, line := range lines {
			checkKnownHeads(t, headWith(before), headWith(line))
		}
	}
}

// answerWith is a response's head with one more line, or several, among others.
func answerWith(line string) []byte {
	return []byte("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n" + line + "\r\nAccept-Ranges: none\r\n\r\n")
}

// dateLines are lines of which some hold a date, and more than that.
func dateLines() []string {
	const day, other = "Mon, 05 Jan 2026 09:00:00 GMT", "Tue, 06 Jan 2026 10:00:00 GMT"
	return []string{
		"Date: " + day, "Date: " + other, "date:" + other, "DATE:", "Date:\n", "Date", "Date : " + day, "X-Date: " + day,
		"Server: EC2ws\r\nDate: " + day, "Server: EC2ws\r\nDate: " + other, "Server: nginx\r\nDate: " + other,
		"Date: " + day + "\r\nServer: EC2ws", "Date: " + other + "\r\nServer: EC2ws", "Date: " + other + "\r\nServer: nginx",
		"Date: " + day + "\nServer: EC2ws", "Date: " + day + "Server: EC2ws", "Date: " + day + "\r\n Server: EC2ws",
		"Server: EC2ws\r\n Date: " + day, "Server:\r\n Date: " + day, "Server:\r\n Date: " + other,
		"Date: " + day + "\r\nContent-Length: 3", "Date: " + other + "\r\nContent-Length: 4", "Content-Length: 3\r\nDate: " + other,
		"Date: " + day + "\r\nDate: " + day, "Date: " + day + "\r\nDate: " + other, "Content-Length:\r\nDate: 3",
		"Date: " + day + "\r\nTransfer-Encoding: chunked", "Date: " + other + "\r\n\r\nTransfer-Encoding: chunked",
		"Date: " + strings.Repeat("a", maxKnownHead),
	}
}

// What is read in a response's head does not depend on its date, or on what was read before.
func TestKnownResponsesReadTheSame(t *testing.T) {
	for _, before := range dateLines() {
		for _, line := range dateLines() {
			checkKnownHeads(t, answerWith(before), answerWith(line))
			checkKnownHeads(t, []byte(before+"\r\n\r\n"), []byte(line+"\r\n\r\n"))
		}
	}
}

// checkKnownHeads reads the heads one after the other, and the last one again.
func checkKnownHeads(t *testing.T, heads ...[]byte) {
	t.Helper()
	known, memory := newKnownHeads(), &words{}
	for _, head := range append(heads, heads[len(heads)-1]) {
		want, whole := parseRequestHead(head, &words{})
		if got, ok := known.request(bytes.Clone(head), memory); *got != want || ok != whole {
			t.Fatalf("%q behind %q:\n%+v, %t\nwant\n%+v, %t", head, heads[0], got, ok, want, whole)
		}
		response := readResponseHead(head, &words{})
		if got := known.response(bytes.Clone(head), memory); got != response {
			t.Fatalf("the response %q behind %q:\n%+v\nwant\n%+v", head, heads[0], got, response)
		}
	}
}

// Heads are known by what they say, whatever the token is, and only those.
func TestKnownHeads(t *testing.T) {
	known := newKnownHeads()
	numbers := map[uint64][]byte{}
	usual := 0
	for _, line := range tokenLines() {
		head := headWith(line)
		number := known.ofRequest(head)
		other, there := numbers[number]
		if there {
			usual++
		}
		if there && !sameBut(t, other, head) {
			t.Errorf("%.200q has the number of %.200q", line, other)
		}
		numbers[number] = head
	}
	if usual != 2 {
		t.Errorf("%d heads are known by others with other tokens, want 2", usual)
	}
}

// sameBut reports whether the same is read in both heads.
func sameBut(t *testing.T, one, other []byte) bool {
	t.Helper()
	a, _ := parseRequestHead(one, &words{})
	b, _ := parseRequestHead(other, &words{})
	return a == b
}

// What is known is not read again.
func TestKnownHeadsAreNotReadAgain(t *testing.T) {
	known, memory := newKnownHeads(), &words{}
	head := headWith("X-aws-ec2-metadata-token: " + oneToken)
	known.request(head, memory)
	known.requests.find(known.ofRequest(head)).request.UserAgent = "remembered"
	if got, _ := known.request(headWith("X-aws-ec2-metadata-token: "+otherToken), memory); got.request.UserAgent != "remembered" {
		t.Error("it was read again")
	}
	answer := answerWith("Date: Mon, 05 Jan 2026 09:00:00 GMT")
	known.response(answer, memory)
	known.responses.find(known.ofResponse(answer)).server = "remembered"
	if got := known.response(answerWith("Date: Tue, 06 Jan 2026 10:00:00 GMT"), memory); got.server != "remembered" {
		t.Error("an answer was read again for its date")
	}
	large := headWith("Accept: " + strings.Repeat("a", maxKnownHead))
	known.response(large, memory)
	known.request(large, memory)
	if known.requests.find(known.ofRequest(large)) != nil || known.responses.find(known.ofResponse(large)) != nil {
		t.Error("more is remembered than there is room for")
	}
}

// Of two for which there is one place both are known, and of three the last two.
func TestNumberedKeepsTwo(t *testing.T) {
	n := newNumbered[string](16)
	const first, second, third = 7, 7 + 16, 7 + 2*16
	n.add(first, "first")
	n.add(second, "second")
	if a, b := n.find(first), n.find(second); a == nil || *a != "first" || b == nil || *b != "second" {
		t.Error("one of two is not known")
	}
	n.add(third, "third")
	if a, b, c := n.find(first), n.find(second), n.find(third); a != nil || b == nil || *b != "second" || c == nil || *c != "third" {
		t.Error("the last two of three are not known")
	}
}

func FuzzKnownHeads(f *testing.F) {
	lines := tokenLines()
	for i, line := range lines {
		f.Add(headWith(lines[(i+1)%len(lines)]), headWith(line))
	}
	dates := dateLines()
	for i, line := range dates {
		f.Add(answerWith(dates[(i+1)%len(dates)]), answerWith(line))
	}
	f.Add([]byte("PUT /latest/api/token HTTP/1.1\n\n"), []byte(fmt.Sprintf("GET / HTTP/1.0\nX-aws-ec2-metadata-token: %s\n\n", oneToken)))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		checkKnownHeads(t, first, second)
		checkKnownHeads(t, second, first)
	})
}
