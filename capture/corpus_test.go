package capture_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// The corpus is a list of small captures, each with the calls that a careful
// person finds in it. It treats the Analyzer as a black box.

// corpusCase is one capture. Exactly one of talk, trace and packets makes it;
// the less it fixes, the more ways of capturing the same are tried.
type corpusCase struct {
	name    string
	talk    func(c *packettest.Conversation)
	trace   func() packettest.Trace
	packets func() []capture.Packet
	// want are the calls as line writes them; or are other readings that are
	// right too, where people could disagree.
	want []string
	or   [][]string
	// endpoints are the ones looked for, if not the default ones.
	endpoints []string
	// plain forbids variants, which would change the meaning; whole forbids
	// those in smaller segments.
	plain, whole bool
}

func runCorpus(t *testing.T, cases []corpusCase) {
	t.Helper()
	seen := map[string]bool{}
	for _, c := range cases {
		if seen[c.name] {
			t.Fatalf("two cases have the name %q", c.name)
		}
		seen[c.name] = true
		t.Run(c.name, func(t *testing.T) {
			for _, v := range c.variants() {
				t.Run(v.name, func(t *testing.T) {
					got := found(t, c.endpoints, v.packets)
					checkLines(t, got.lines(), append([][]string{c.want}, c.or...)...)
				})
			}
		})
	}
}

type variant struct {
	name    string
	packets []capture.Packet
}

// translated is the address that clients have behind NAT.
var translated = netip.MustParseAddrPort("192.168.5.4:61001")

func (c *corpusCase) variants() []variant {
	switch {
	case c.packets != nil:
		return []variant{{"plain", c.packets()}}
	case c.trace != nil:
		return c.traceVariants(c.trace())
	}
	list := c.traceVariants(c.converse(packettest.New()).Trace())
	if c.plain {
		return list
	}
	list = append(list, variant{"IPv6", c.converse(packettest.New6()).Packets()})
	if !c.whole && !c.converse(packettest.New()).Lossy {
		list = append(list, variant{"byte by byte", c.segmented(1)}, variant{"seven bytes a segment", c.segmented(7)})
	}
	trace := c.converse(packettest.New()).Trace()
	return append(list,
		variant{"NAT cooked", trace.Through(packettest.ContainerHopsV1(translated)...).Packets()},
		variant{"NAT cooked v2", trace.Through(packettest.ContainerHops(translated)...).Packets()},
		variant{"NAT interfaces", trace.Through(packettest.InterfaceHops(translated)...).Packets()})
}

func (c *corpusCase) traceVariants(trace packettest.Trace) []variant {
	list := []variant{{"plain", trace.Packets()}}
	if !c.plain {
		list = append(list, variant{"twice", trace.Twice().Packets()})
	}
	return list
}

func (c *corpusCase) converse(conversation *packettest.Conversation) *packettest.Conversation {
	c.talk(conversation)
	return conversation
}

func (c *corpusCase) segmented(size int) []capture.Packet {
	conversation := packettest.New()
	conversation.SegmentSize = size
	conversation.Step = 10 * time.Microsecond
	return c.converse(conversation).Packets()
}

// found feeds packets to an Analyzer, with a Flush at the end.
func found(t testing.TB, endpoints []string, packets []capture.Packet) *recorder {
	t.Helper()
	r, _ := counted(t, endpoints, packets)
	return r
}

// counted is found with what was counted.
func counted(t testing.TB, endpoints []string, packets []capture.Packet) (*recorder, capture.Stats) {
	t.Helper()
	r := newRecorder(t)
	a := capture.NewAnalyzer(parseEndpoints(t, endpoints), capture.OfflineLimits(), r)
	feed(a, packets)
	a.Flush()
	r.check()
	return r, a.Stats()
}

func parseEndpoints(t testing.TB, list []string) []netip.AddrPort {
	if len(list) == 0 {
		return imds.DefaultEndpoints()
	}
	var endpoints []netip.AddrPort
	for _, s := range list {
		endpoint, err := imds.ParseEndpoint(s)
		if err != nil {
			t.Fatal(err)
		}
		endpoints = append(endpoints, endpoint)
	}
	return endpoints
}

// feed hands over packets in one that is overwritten after each, with its data, as a
// Source may do.
func feed(a *capture.Analyzer, packets []capture.Packet) {
	var buffer []byte
	var handed capture.Packet
	for _, p := range packets {
		buffer = append(buffer[:0], p.Data...)
		handed = p
		handed.Data = buffer
		a.Packet(&handed)
		handed = capture.Packet{Time: p.Time.AddDate(50, 0, 0), Interface: "#", Network: "#", Comment: "#"}
		for i := range buffer {
			buffer[i] = '#'
		}
	}
}

// recorder keeps what an Analyzer finds and holds it to Handler's promises.
type recorder struct {
	t      testing.TB
	calls  []imds.Call
	opened map[uint64]imds.Conn
	closed map[uint64]bool
	// inVain are the token requests without an answer of which the Call is to follow.
	inVain []imds.Call
}

func newRecorder(t testing.TB) *recorder {
	return &recorder{t: t, opened: map[uint64]imds.Conn{}, closed: map[uint64]bool{}}
}

func (r *recorder) Unanswered(c imds.Call) {
	r.checkConn(c)
	if !c.Unanswered || c.Response != nil || !c.Request.IsTokenRequest() {
		r.t.Errorf("told that it is unanswered: %s", line(c))
	}
	r.checkSecret(c)
	r.inVain = append(r.inVain, c)
}

// checkInVain holds that a Call is unanswered if that was told of it, once, before.
func (r *recorder) checkInVain(c imds.Call) {
	told := slices.IndexFunc(r.inVain, func(v imds.Call) bool { return v.Conn.ID == c.Conn.ID && v.Request == c.Request })
	if told >= 0 && c.Unanswered {
		r.inVain = slices.Delete(r.inVain, told, told+1)
	} else if c.Unanswered {
		r.t.Errorf("not told before that it is unanswered: %s", line(c))
	}
}

func (r *recorder) Opened(c imds.Conn) {
	if earlier, ok := r.opened[c.ID]; ok && (earlier.Client == c.Client && earlier.Network == c.Network || r.closed[c.ID]) {
		r.t.Errorf("connection %d opened twice as %v", c.ID, c.Client)
	}
	r.opened[c.ID] = c
}

func (r *recorder) checkConn(c imds.Call) {
	if _, ok := r.opened[c.Conn.ID]; !ok || r.closed[c.Conn.ID] {
		r.t.Errorf("a call on connection %d, which is not open: %s", c.Conn.ID, line(c))
	}
	if opened := r.opened[c.Conn.ID]; opened.Client != c.Conn.Client || opened.Service != c.Conn.Service || opened.Network != c.Conn.Network {
		r.t.Errorf("a call on %+v, which was opened as %+v", c.Conn, opened)
	}
}

func (r *recorder) Call(c imds.Call) {
	r.checkConn(c)
	r.checkInVain(c)
	r.calls = append(r.calls, kept(c))
}

// kept is the call with a response of its own, to be kept behind Handler.Call.
func kept(c imds.Call) imds.Call {
	if c.Response != nil {
		c.Response = new(*c.Response)
	}
	return c
}

func (r *recorder) Closed(c imds.Conn) {
	if _, ok := r.opened[c.ID]; !ok || r.closed[c.ID] {
		r.t.Errorf("connection %d closed, which is not open", c.ID)
	}
	r.closed[c.ID] = true
}

// secret is what every token in the corpus contains; no Call may hold it.
const secret = "AQAEAsecretNbF2"

func (r *recorder) check() {
	for _, c := range r.inVain {
		r.t.Errorf("told that it is unanswered, and never of it: %s", line(c))
	}
	for _, c := range r.calls {
		if c.Request.Time.IsZero() || c.Response != nil && c.Response.Time.IsZero() {
			r.t.Errorf("a call without time: %s", line(c))
		}
		if c.Request.Incomplete == imds.Whole && (c.Request.Method == "" || c.Request.Target == "" || c.Request.Proto == "") {
			r.t.Errorf("a whole head without a request line: %s", line(c))
		}
		r.checkSecret(c)
	}
}

func (r *recorder) checkSecret(c imds.Call) {
	if text := fmt.Sprintf("%+v %+v", c, c.Response); strings.Contains(text, secret) {
		r.t.Errorf("a call holds a token: %s", line(c))
	}
}

// lines are the calls by client, each client's in the order of the hand-over.
func (r *recorder) lines() []string {
	calls := slices.Clone(r.calls)
	slices.SortStableFunc(calls, func(a, b imds.Call) int { return a.Conn.Client.Compare(b.Conn.Client) })
	lines := []string{}
	for _, c := range calls {
		lines = append(lines, line(c))
	}
	return lines
}

// line writes what the corpus compares of a call: the network namespace if it is
// not the capture's, the ends if they are not a Conversation's usual ones, version, method, target, status, and then what is
// true of it: the HTTP version if not 1.1, token, reset, why it is unknown.
func line(c imds.Call) string {
	var words []string
	if c.Conn.Network != "" {
		words = append(words, c.Conn.Network)
	}
	if c.Conn.Client != packettest.Client && c.Conn.Client != packettest.Client6 {
		words = append(words, c.Conn.Client.String())
	}
	if c.Conn.Service != packettest.Service && c.Conn.Service != packettest.Service6 {
		words = append(words, ">"+c.Conn.Service.String())
	}
	request := &c.Request
	words = append(words, request.Version().String(), orDash(request.Method), orDash(shortened(request.Target)), status(c))
	if request.Proto != "" && request.Proto != "1.1" {
		words = append(words, request.Proto)
	}
	if request.IsTokenRequest() {
		words = append(words, "token")
	}
	if c.Unanswered {
		words = append(words, "unanswered")
	}
	if c.Reset {
		words = append(words, "reset")
	}
	if request.Version() == imds.VersionUnknown {
		words = append(words, request.Incomplete.String())
	}
	return strings.Join(words, " ")
}

func shortened(s string) string {
	if len(s) > 100 {
		return fmt.Sprintf("%s...%d", s[:100], len(s))
	}
	return s
}

func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func status(c imds.Call) string {
	if c.Response == nil {
		return "-"
	}
	return fmt.Sprint(c.Response.Status)
}

func checkLines(t testing.TB, got []string, right ...[]string) {
	t.Helper()
	for _, want := range right {
		if slices.Equal(got, want) || len(got)+len(want) == 0 {
			return
		}
	}
	t.Errorf("got\n\t%s\nwant\n\t%s", joined(got), joined(right[0]))
	for _, want := range right[1:] {
		t.Errorf("or\n\t%s", joined(want))
	}
}

func joined(lines []string) string {
	if len(lines) == 0 {
		return "no call"
	}
	return strings.Join(lines, "\n\t")
}
