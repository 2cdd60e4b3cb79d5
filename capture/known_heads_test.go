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

// checkKnownHeads reads the heads one after the other, and the last one again.
func checkKnownHeads(t *testing.T, heads ...[]byte) {
	t.Helper()
	known, memory := newKnownHeads(), &words{}
	for _, head := range append(heads, heads[len(heads)-1]) {
		want, whole := parseRequestHead(head, &words{})
		if got, ok := known.read(bytes.Clone(head), memory); got != want || ok != whole {
			t.Fatalf("%q behind %q:\n%+v, %t\nwant\n%+v, %t", head, heads[0], got, ok, want, whole)
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
		number := known.numberOf(head)
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
	place := &known.places[known.numberOf(head)%maxKnownHeads]
	known.read(head, memory)
	place.head.request.UserAgent = "remembered"
	if got, _ := known.read(headWith("X-aws-ec2-metadata-token: "+otherToken), memory); got.request.UserAgent != "remembered" {
		t.Error("it was read again")
	}
	large := headWith("Accept: " + strings.Repeat("a", maxKnownHead))
	before := *known
	if known.read(large, memory); *known != before {
		t.Error("more is remembered than there is room for")
	}
}

func FuzzKnownHeads(f *testing.F) {
	lines := tokenLines()
	for i, line := range lines {
		f.Add(headWith(lines[(i+1)%len(lines)]), headWith(line))
	}
	f.Add([]byte("PUT /latest/api/token HTTP/1.1\n\n"), []byte(fmt.Sprintf("GET / HTTP/1.0\nX-aws-ec2-metadata-token: %s\n\n", oneToken)))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		checkKnownHeads(t, first, second)
		checkKnownHeads(t, second, first)
	})
}
