package capture_test

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// hidden is a secret that only its place tells, and shapedToken one that is known wherever it
// is. None of them opens anything.
const (
	hidden      = "qzjxkvwhqzkjxwvbqkzxjvqwzkxbvjqkwzvxjkqb"
	shapedToken = "AQAEAHxT8b_q0ZcK5nYwPm3RfVdLgXoE7sUiJtB2-hN9yCqWkA4vzQ=="
)

// hiddenFields are header fields of which nothing but the name is shown, in whatever spelling.
var hiddenFields = []string{
	"X-aws-ec2-metadata-token: SECRET", "x-AWS-eC2-metadata-TOKEN:SECRET", "X-aws-ec2-metadata-token : SECRET \t", "X-aws-ec2-metadata-token:\r\n SECRET",
	"X-aws-ec2-metadata-token: a\r\n\tSECRET\r\n SECRET", "X-aws-ec2-metadata-token: a\n SECRET", "X-aws-ec2-metadata-token\x00: SECRET", "X-aws-ec2-metadata-token:\x00SECRET\x00",
	" X-aws-ec2-metadata-token: SECRET", "X-aws-ec2-metadata-token: SECRET\r\nX-aws-ec2-metadata-token: SECRET", "X-aws-ec2-metadata-token: SECRET\rX: SECRET",
	"X-aws-ec2-metadata-token;SECRET", "SECRET", "X-Custom: SECRET", "Authorization: Bearer SECRET", "Authorization: Basic BASE64", "Proxy-Authorization: Basic BASE64",
	"Cookie: a=b; c=SECRET", "Set-Cookie: SECRET", "Referer: http://SECRET/SECRET", "Location: http://u:SECRET@h/", "Content-Length: SECRET", "Content-Length: 3, SECRET",
	"X-aws-ec2-metadata-token-ttl-seconds: SECRET", "X-aws-ec2-metadata-token-ttl-seconds: 60\r\n SECRET", "X-Token-X: SECRET", ": SECRET", "X Y: SECRET", "Etag: \"SECRET\"",
	"User-Agent: token=SECRET", "User-Agent: x\r\n password=SECRET", "Host: password=SECRET", "X-Forwarded-For: a, token=SECRET", "Server: token=SECRET", "Server: x\r\n\ttoken=SECRET",
	"Content-Type: a; password=SECRET", "Accept: token=SECRET", "Date: token=SECRET", "Last-Modified: secret=SECRET", "Connection: token=SECRET", "Upgrade: x/token=SECRET",
}

// shownFields are those of which a value is shown, but for what has the shape of a secret.
var shownFields = []string{
	"User-Agent: SHAPED", "User-Agent: x (SHAPED; a)", "Host: SHAPED", "Host: a.SHAPED.b:80", "X-Forwarded-For: SHAPED", "X-Forwarded-For: a\r\nX-Forwarded-For: SHAPED",
	"Server: SHAPED", "Server: a/SHAPED", "Content-Type: SHAPED", "Date: SHAPED", "Accept: SHAPED", "SHAPED: x", "Transfer-Encoding: SHAPED, chunked", "Expect: SHAPED",
}

var harmlessFields = []string{"Host: h", "User-Agent: u/1", "Accept: */*", "X-aws-ec2-metadata-token-ttl-seconds: 60", "Expect: 100-continue", "Connection: close", "X-Forwarded-For: 10.1.1.1", "Content-Length: 5", "Transfer-Encoding: chunked"}

var requestLines = []string{
	"GET /a HTTP/1.1", "PUT /latest/api/token HTTP/1.1", "GET /x?token=SECRET&y=1 HTTP/1.1", "GET /x?y=1&X-Amz-Security-Token=SECRET HTTP/1.0", "POST /a HTTP/1.1", "HEAD / HTTP/1.1",
	"GET http://u:SECRET@169.254.169.254/a HTTP/1.1", "GET /a b?token=SECRET HTTP/1.1", "GET /a b?token=SECRET c HTTP/1.1", "GET /SHAPED/x HTTP/1.1", "GET /x?SHAPED HTTP/1.1", "GET http://SHAPED@h/ HTTP/1.1",
	"CONNECT h:80 HTTP/1.1", "GET /a token=SECRET", "GET /a HTTP/1.1 token=SECRET", "GET /a\x00token=SECRET HTTP/1.1", "GET /a  HTTP/1.1", "GET token=SECRET HTTP/1.1", "X-Y /a HTTP/1.1", "GET /?password%3DSECRET HTTP/1.1",
	"GET /a HTTP/2.0 SECRET", "SHAPED / HTTP/1.1", "GET /latest/SHAPED", "PRI * HTTP/2.0",
}

var statusLines = []string{
	"HTTP/1.1 200 OK", "HTTP/1.1 401 SECRET", "HTTP/1.0 200", "HTTP/1.1 204 SECRET", "HTTP/1.1 100 Continue", "HTTP/1.1 103 SECRET", "HTTP/1.1 101 Switching", "HTTP/1.1 304 x", "HTTP/1.1 2000 SECRET", "HTTP/1.1 SECRET",
	"HTTP/1.1 404 SHAPED", "SECRET", "HTTP/1.SECRET",
}

// bodies of messages; none of them holds what looks like the first line of a message.
var bodies = []string{
	"", "SECRET", "SECRET SECRET\r\n", "X: SECRET\r\n\r\n", "\r\n\r\nSECRET", "5\r\nSECRET\r\n0\r\n\r\n", "28;SECRET=SECRET\r\nSECRET\r\n0;SECRET\r\nX-Token: SECRET\r\nSECRET\r\n\r\n",
	"28\r\nSECRET\r\n00\r\nX-aws-ec2-metadata-token: SECRET\r\n\r\n", `{"AccessKeyId":"SECRET","Token":"SECRET"}`, "\x16\x03SECRET", "ffSECRET\r\nSECRET", "SHAPED", "20;a\r\nSHAPED", "SECRET=SECRET\nSECRET\n\n",
}

type secretTalk struct{ random *rand.Rand }

func (s secretTalk) one(list []string) string { return list[s.random.IntN(len(list))] }

func (s secretTalk) fill(text string) string {
	return strings.NewReplacer("SECRET", hidden, "SHAPED", shapedToken, "BASE64", base64.StdEncoding.EncodeToString([]byte("u:"+hidden))).Replace(text)
}

func (s secretTalk) message(first []string) string {
	end := "\r\n"
	if s.random.IntN(6) == 0 {
		end = "\n"
	}
	text := s.one(first) + end
	for range s.random.IntN(7) {
		text += s.one(slices.Concat(hiddenFields, hiddenFields, shownFields, harmlessFields)) + end
	}
	if s.random.IntN(12) > 0 {
		text += end
	}
	return s.fill(text + s.one(bodies))
}

// say has a conversation, of several messages in each direction.
func (s secretTalk) say(c *packettest.Conversation) {
	c.SegmentSize = 1 + s.random.IntN(1+s.random.IntN(400))
	if s.random.IntN(5) > 0 {
		c.Open()
	} else {
		c.Opened()
	}
	for range 1 + s.random.IntN(4) {
		for range 1 + s.random.IntN(2) {
			c.Client(s.message(requestLines))
		}
		if s.random.IntN(5) > 0 {
			c.Server(s.message(statusLines))
		}
		if s.random.IntN(9) == 0 {
			c.Wait(time.Duration(s.random.IntN(5000)) * time.Millisecond)
		}
	}
	switch s.random.IntN(4) {
	case 0:
		c.Close()
		c.Client(s.fill("SECRET"))
	case 1:
		c.CloseByServer()
		c.Server(s.fill("SECRET"))
	case 2:
		c.Reset(s.random.IntN(2) == 0)
	}
}

// noise is as many bytes of secrets.
func (s secretTalk) noise(n int) []byte {
	return []byte(strings.Repeat(hidden, 1+n/len(hidden))[:n])
}

// spoil does to the segments what networks and captures do.
func (s secretTalk) spoil(t packettest.Trace) packettest.Trace {
	for range s.random.IntN(6) {
		if len(t) == 0 {
			break
		}
		at, much := s.random.IntN(len(t)), s.random.IntN(200)
		switch s.random.IntN(8) {
		case 0:
			t = t.Drop(at)
		case 1:
			t = t.Repeat(at, min(at+1+much%9, len(t)))
		case 2:
			t = t.Move(at, s.random.IntN(len(t)))
		case 3, 4:
			t = split(t, at, much)
		case 5:
			t = withFlags(t, at, []packettest.Flags{packettest.URG, packettest.FIN, packettest.SYN, packettest.RST, packettest.PSH}[much%5])
		case 6: // the same bytes again, in another piece
			t = t.Repeat(at, min(at+1+much%9, len(t)))
			if e := &t[min(at+1+much%9, len(t)-1)]; len(e.Payload) > 2 {
				n := 1 + much%(len(e.Payload)-1)
				e.Payload, e.Seq = e.Payload[n:], e.Seq+uint32(n)
			}
		case 7:
			t = t.Edit(func(i int, e *packettest.Segment) {
				if i == at && e.Src.Is4() {
					e.IPOptions = append([]byte{7, 30}, s.noise(28)...)
				} else if i == at {
					e.Extensions = []packettest.Extension{{Number: 60, Bytes: append([]byte{0, 3, 1, 28}, s.noise(28)...)}}
				}
				if i == at+1 {
					e.Options = append([]byte{1, 253, 30}, s.noise(28)...)
				}
				if i == at+2 {
					e.Options = append([]byte{0}, s.noise(28)...)
				}
			})
		}
	}
	return t
}

func (s secretTalk) link() packettest.Link {
	return []packettest.Link{
		packettest.Ethernet(), packettest.SLL2(2, 0), packettest.SLL(4), packettest.Raw(capture.LinkRaw), packettest.SNAP(), packettest.NFLOG(binary.LittleEndian), packettest.Null(binary.LittleEndian, 30),
		packettest.Pktap{Interface: "en0", Sender: imds.Sender{PID: 7, Name: "curl"}, Inner: packettest.Ethernet()}.First(),
	}[s.random.IntN(8)]
}

// packets are those of a segment: cut, padded, in fragments, quoted by a router.
func (s secretTalk) packets(e packettest.Segment) (list []capture.Packet) {
	p := e.Packet()
	switch s.random.IntN(40) {
	case 0:
		p.Data = p.Data[:s.random.IntN(len(p.Data)+1)]
	case 1, 2:
		p.Data = append(p.Data, s.noise(1+s.random.IntN(60))...)
		p.Length = len(p.Data)
	case 3:
		p.Comment = "token=" + hidden
	case 4, 5:
		if whole := e.IP(); e.Src.Is4() {
			size := 8 * (1 + s.random.IntN(8))
			for from := 0; from < len(whole)-int(whole[0]&0xf)*4; from += size {
				if s.random.IntN(9) > 0 {
					list = append(list, e.Wrap(packettest.Fragment4(whole, from, from+size)))
				}
			}
			return list
		}
	case 6:
		quoted := e.IP()
		if e.Src.Is4() {
			list = append(list, e.Wrap(packettest.ICMP(netip.MustParseAddr("10.0.0.1"), e.Src, []uint8{3, 11, 0, 8}[s.random.IntN(4)], quoted)))
		} else {
			list = append(list, e.Wrap(packettest.ICMPv6(netip.MustParseAddr("fd00::1"), e.Src, []uint8{3, 1, 128}[s.random.IntN(3)], quoted)))
		}
	case 7:
		list = append(list, e.Wrap(packettest.UDP(netip.AddrPortFrom(e.Src, 80), netip.AddrPortFrom(e.Dst, 80), hidden)))
	case 8:
		p.Length = 1 << 16
	}
	return append(list, p)
}

func (s secretTalk) limits() capture.Limits {
	switch s.random.IntN(3) {
	case 0:
		return capture.OfflineLimits()
	case 1:
		return capture.LiveLimits()
	}
	return capture.Limits{Connections: 1 + s.random.IntN(4), HalfOpen: 1 + s.random.IntN(3), ClosedConnections: s.random.IntN(4), BufferedBytes: s.random.IntN(3000)}
}

// secretPieces must be nowhere; keys are their first bytes.
type secretPieces map[[2]byte][]string

func piecesOfSecrets() secretPieces {
	list := secretPieces{}
	for secret, size := range map[string]int{hidden: 6, base64.StdEncoding.EncodeToString([]byte("u:" + hidden))[4:]: 6, shapedToken: 12} {
		for i := 0; i+size <= len(secret); i++ {
			begin := [2]byte{secret[i], secret[i+1]}
			list[begin] = append(list[begin], secret[i:i+size])
		}
	}
	return list
}

// find returns the first piece in a text, empty if there is none.
func (p secretPieces) find(text string) string {
	for i := range len(text) - 1 {
		for _, piece := range p[[2]byte{text[i], text[i+1]}] {
			if strings.HasPrefix(text[i:], piece) {
				return piece
			}
		}
	}
	return ""
}

// Whatever is done to what a connection carries, no secret is told of it, and none is in the
// packets that are saved.
func TestSecretsInSpoiledPackets(t *testing.T) {
	all := piecesOfSecrets()
	for seed := range capture.Sample(uint64(1000)) {
		checkSecrets(t, secretTalk{rand.New(rand.NewPCG(seed, 3))}, all)
		if t.Failed() {
			t.Fatalf("seed %d", seed)
		}
	}
}

func checkSecrets(t *testing.T, s secretTalk, all secretPieces) {
	t.Helper()
	limits := s.limits()
	var packets []capture.Packet
	for _, e := range packettest.Merge(s.traces(limits)...) {
		packets = append(packets, s.packets(e)...)
	}
	var found collector
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), limits, &found)
	analyzer.SaveTo(func(p capture.Saved) {
		if piece := all.find(string(p.Data)); piece != "" {
			t.Errorf("%q is saved in %q", piece, p.Data)
		}
	})
	feed(analyzer, packets)
	analyzer.Flush()
	for _, c := range found.calls {
		c.Request.Note = nil // is what the capture says
		if text := fmt.Sprintf("%+v %+v", c, c.Response); all.find(text) != "" {
			t.Errorf("%q is told in %s", all.find(text), text)
		}
	}
}

// traces are those of some connections at once.
func (s secretTalk) traces(limits capture.Limits) (traces []packettest.Trace) {
	for i := range 1 + s.random.IntN(5) {
		c := packettest.From(fmt.Sprintf("10.0.0.%d:%d", 1+i, 2000+i))
		if s.random.IntN(4) == 0 {
			c = packettest.New6()
			c.ClientAddr = netip.AddrPortFrom(c.ClientAddr.Addr(), uint16(2000+i))
		}
		c.Link = s.link()
		s.say(c)
		t := s.spoil(c.Trace())
		if limits == capture.OfflineLimits() { // where of two segments the first one counts
			t = s.besides(t)
		}
		traces = append(traces, t)
	}
	return traces
}

// besides repeats segments with other bytes.
func (s secretTalk) besides(t packettest.Trace) packettest.Trace {
	for range min(s.random.IntN(4), len(t)) {
		at := s.random.IntN(len(t))
		t = t.Repeat(at, at+1)
		t[at+1].Payload = s.noise(s.random.IntN(1 + len(t[at].Payload)))
	}
	return t
}
