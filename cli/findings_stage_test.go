package cli_test

import (
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// scenario is a capture that is played, and what has to be found in it, call by call.
type scenario struct {
	name string
	play func(*stage)
}

// stage is where clients play their parts one after the other. A part takes a
// millisecond a segment, and time goes by for all.
type stage struct {
	now  time.Time
	cast []*client
	more []capture.Packet // other than the clients'
	want []string
}

func (s *stage) wait(d time.Duration) { s.now = s.now.Add(d) }

// expect says what has to be found of the last call of a client.
func (s *stage) expect(c *client, findings, fallback string) {
	s.want = append(s.want, strings.Join([]string{c.name(), c.method, c.target, findings, fallback}, " "))
}

// client is a connection, and who speaks on it.
type client struct {
	stage  *stage
	talk   *packettest.Conversation
	agent  string // the User-Agent, if there is one
	fields string // more header fields, each with its line's end
	server string // who answers
	// says is the comment on the client's packets.
	says string
	// route is where its segments are captured, nil for one place.
	route []packettest.Hop

	method, target string
	calls          int
}

// service is what the metadata service calls itself.
const service = "EC2ws"

// open is a client with a new connection.
func (s *stage) open(address, agent string) *client {
	c := &client{stage: s, talk: packettest.From(address), agent: agent, server: service}
	if c.talk.ClientAddr.Addr().Is6() {
		c.talk.ServiceAddr = packettest.Service6
	}
	c.talk.ClientISN += uint32(len(s.cast)) << 20 // another one if the port is used again
	s.cast = append(s.cast, c)
	c.act(c.talk.Open)
	return c
}

// again is the same client with a new connection.
func (c *client) again(address string) *client {
	next := c.stage.open(address, c.agent)
	next.fields, next.server, next.says, next.route = c.fields, c.server, c.says, c.route
	return next
}

// act lets something happen on the connection now.
func (c *client) act(do func()) {
	c.talk.Now = c.stage.now
	do()
	c.stage.now = c.talk.Now
}

// name is the client's address, as near to it as it was captured, and the call.
func (c *client) name() string {
	address := c.talk.ClientAddr
	if len(c.route) > 0 && c.route[0].Client.IsValid() {
		address = c.route[0].Client
	}
	return fmt.Sprintf("%s#%d", address, c.calls)
}

// with changes the header fields besides User-Agent.
func (c *client) with(fields ...string) *client {
	c.fields = ""
	if len(fields) > 0 {
		c.fields = strings.Join(fields, "\r\n") + "\r\n"
	}
	return c
}

// ask sends a request. It is not answered by itself.
func (c *client) ask(method, target string, fields ...string) *client {
	c.method, c.target = method, target
	c.calls++
	head := method + " " + target + " HTTP/1.1\r\nHost: " + c.talk.ServiceAddr.Addr().String() + "\r\n"
	if c.agent != "" {
		head += "User-Agent: " + c.agent + "\r\n"
	}
	for _, f := range fields {
		head += f + "\r\n"
	}
	c.act(func() { c.talk.Client(head + c.fields + "\r\n") })
	return c
}

// answered is an answer to what was asked.
func (c *client) answered(status int) *client {
	c.act(func() { c.talk.Server(answerOf(status, c.server)) })
	return c
}

func answerOf(status int, server string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nServer: %s\r\nContent-Length: 2\r\n\r\nok", status, http.StatusText(status), server)
}

const (
	apiToken    = "/latest/api/token"
	idTarget    = "/latest/meta-data/instance-id"
	rolesTarget = "/latest/meta-data/iam/security-credentials/"
	roleTarget  = rolesTarget + "web"

	ttlField   = "X-aws-ec2-metadata-token-ttl-seconds: 21600"
	tokenField = "X-aws-ec2-metadata-token: "
	aToken     = "AQAEAKlGMB0Zk9Lr2XyQw3uTn5vHs7PdJe1RfCgYbUoIaVtNmWx4Eg=="
)

// asksToken sends a token request.
func (c *client) asksToken() *client { return c.ask("PUT", apiToken, ttlField) }

// put is a token request and its answer, and what is found of it.
func (c *client) put(status int, findings string) {
	c.asksToken().answered(status).found(findings, "-")
}

// get is a call without a token, which is answered, and what is found of it.
func (c *client) get(findings, fallback string) {
	c.ask("GET", idTarget).answered(http.StatusOK).found(findings, fallback)
}

// getV2 is a call with a token.
func (c *client) getV2(status int, findings string) {
	c.ask("GET", idTarget, tokenField+aToken).answered(status).found(findings, "-")
}

// found says what has to be found of the client's last call.
func (c *client) found(findings, fallback string) { c.stage.expect(c, findings, fallback) }

// close is the client's close: where it waits for an answer, it gives up.
func (c *client) close() { c.act(c.talk.Close) }

// packets are those of all, in the order of time.
func (s *stage) packets() []capture.Packet {
	packets := slices.Clone(s.more)
	for _, c := range s.cast {
		trace := c.talk.Trace()
		if c.route != nil {
			trace = routed(trace, c.route)
		}
		for _, segment := range trace {
			p := segment.Packet()
			if segment.FromClient {
				p.Comment = c.says
			}
			packets = append(packets, p)
		}
	}
	slices.SortStableFunc(packets, func(a, b capture.Packet) int { return a.Time.Compare(b.Time) })
	return packets
}

// played is what the program finds in a scenario, which has to be what it says.
func played(t *testing.T, play func(*stage)) []found {
	t.Helper()
	s := &stage{now: packettest.Start}
	play(s)
	r := runOn(strings.NewReader(pcapngOf(t, s.packets())), "-r", "-", "--format", "json")
	if r.status != 0 {
		t.Fatalf("exit status %d: %s", r.status, r.err)
	}
	calls := findingsOf(t, r.out)
	checkFallbacks(t, calls)
	var got []string
	for i := range calls {
		got = append(got, calls[i].String())
	}
	checkLines(t, got, s.want)
	return calls
}

func runScenarios(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, s := range scenarios {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			played(t, s.play)
		})
	}
}

// from is the address of the host that most scenarios play on, with another port.
func from(port int) string {
	return netip.AddrPortFrom(packettest.Client.Addr(), uint16(port)).String()
}
