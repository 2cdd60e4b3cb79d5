package main

import (
	"encoding/base64"
	"fmt"
	"math/rand/v2"
)

// call is one request to the metadata service with its answer.
type call struct {
	v2               bool
	request, respond []byte
}

// caller is a client program: what it calls itself, and whether it keeps its
// connections for a next request.
type caller struct {
	agent string
	keeps bool
}

// callers are programs as they are found on instances. The last sends no
// User-Agent.
func callers() []caller {
	return []caller{
		{"curl/8.5.0", false},
		{"Wget/1.21.3", false},
		{"Boto3/1.34.11 md/Botocore#1.34.11 ua/2.0 os/linux#6.1.0 lang/python#3.11.2", true},
		{"aws-sdk-go-v2/1.30.3 os/linux lang/go#1.22.5 md/GOOS#linux md/GOARCH#amd64 ft/ec2-imds", true},
		{"python-requests/2.31.0", true},
		{"", true},
	}
}

// calling makes the calls of one caller.
type calling struct {
	rng *rand.Rand
	caller
	token string
}

func newCalling(rng *rand.Rand) *calling {
	all := callers()
	return &calling{rng: rng, caller: all[rng.IntN(len(all))]}
}

// askToken is the request for a session token; its token is used from then on.
func (c *calling) askToken() call {
	c.token = c.random(42) + "=="
	head := c.head("PUT", "/latest/api/token", "X-aws-ec2-metadata-token-ttl-seconds: 21600\r\nContent-Length: 0\r\n")
	return call{v2: true, request: head, respond: c.answer("text/plain", "X-Aws-Ec2-Metadata-Token-Ttl-Seconds: 21600\r\n", c.token)}
}

// get asks for something, with the token if there is one.
func (c *calling) get() call {
	target, kind, body := c.category()
	return c.ask(target, kind, body)
}

func (c *calling) ask(target, kind, body string) call {
	field := ""
	if c.token != "" {
		field = "X-aws-ec2-metadata-token: " + c.token + "\r\n"
	}
	return call{v2: c.token != "", request: c.head("GET", target, field), respond: c.answer(kind, "", body)}
}

// category picks what is asked for: of a hundred calls half are for
// credentials, which are renewed all the time, the others for the few values
// that programs want to know when they start.
func (c *calling) category() (target, kind, body string) {
	switch n := c.rng.IntN(100); {
	case n < 48:
		return "/latest/meta-data/iam/security-credentials/app-role", "text/plain", c.credentials()
	case n < 64:
		return "/latest/meta-data/iam/security-credentials/", "text/plain", "app-role"
	case n < 78:
		return "/latest/meta-data/instance-id", "text/plain", fmt.Sprintf("i-0%016x", c.rng.Uint64())
	case n < 88:
		return "/latest/meta-data/placement/region", "text/plain", "eu-central-1"
	case n < 96:
		return "/latest/dynamic/instance-identity/document", "text/plain", c.document()
	}
	return "/latest/user-data", "application/octet-stream", "#cloud-config\n# " + c.random(3000+c.rng.IntN(8900)) + "\n"
}

// credentials looks like what the service delivers, made of random letters.
func (c *calling) credentials() string {
	return fmt.Sprintf("{\n  \"Code\" : \"Success\",\n  \"LastUpdated\" : \"2026-01-05T08:41:02Z\",\n  \"Type\" : \"AWS-HMAC\",\n"+
		"  \"AccessKeyId\" : \"ASIA%s\",\n  \"SecretAccessKey\" : \"%s\",\n  \"Token\" : \"%s\",\n  \"Expiration\" : \"2026-01-05T15:02:11Z\"\n}",
		c.random(12), c.random(30), c.random(900+c.rng.IntN(300)))
}

func (c *calling) document() string {
	return fmt.Sprintf("{\n  \"accountId\" : \"123456789012\",\n  \"architecture\" : \"x86_64\",\n  \"availabilityZone\" : \"eu-central-1a\",\n"+
		"  \"imageId\" : \"ami-0%016x\",\n  \"instanceId\" : \"i-0%016x\",\n  \"instanceType\" : \"m7i.large\",\n  \"pendingTime\" : \"2026-01-05T07:00:12Z\",\n"+
		"  \"privateIp\" : \"10.0.1.23\",\n  \"region\" : \"eu-central-1\",\n  \"version\" : \"2017-09-30\"\n}", c.rng.Uint64(), c.rng.Uint64())
}

// random is so many random bytes as text, which is a third longer.
func (c *calling) random(bytes int) string {
	return base64.URLEncoding.WithPadding(base64.NoPadding).EncodeToString(randomBytes(c.rng, bytes))
}

func randomBytes(rng *rand.Rand, n int) []byte {
	data := make([]byte, n)
	for i := 0; i < n; i += 8 {
		value := rng.Uint64()
		for j := i; j < min(i+8, n); j++ {
			data[j] = byte(value)
			value >>= 8
		}
	}
	return data
}

// head is a request's head (RFC 9112, section 3), with the lines of fields in
// the caller's place for them.
func (c *calling) head(method, target, fields string) []byte {
	head := fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: 169.254.169.254\r\n", method, target)
	if c.agent != "" {
		head = fmt.Appendf(head, "User-Agent: %s\r\n", c.agent)
	}
	head = append(head, "Accept: */*\r\n"...)
	return append(append(head, fields...), "\r\n"...)
}

// answer is a whole response, as the service writes it.
func (c *calling) answer(kind, fields, body string) []byte {
	connection := "keep-alive"
	if !c.keeps {
		connection = "close"
	}
	return fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: %s\r\nAccept-Ranges: none\r\nLast-Modified: Mon, 05 Jan 2026 08:40:00 GMT\r\n"+
		"Content-Length: %d\r\n%sDate: Mon, 05 Jan 2026 09:00:00 GMT\r\nServer: EC2ws\r\nConnection: %s\r\n\r\n%s", kind, len(body), fields, connection, body)
}
