package cli_test

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"net/netip"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// Tokens and credentials are planted wherever a connection can carry them,
// captured in every way, and looked for in all that the program writes.

const (
	base64Letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
	base64Std     = base64Letters + "+/"
	base64URL     = base64Letters + "-_"
)

// letters is a random string; none of those here opens anything.
func letters(seed int64, alphabet string, n int) string {
	random := rand.New(rand.NewSource(seed))
	text := make([]byte, n)
	for i := range text {
		text[i] = alphabet[random.Intn(len(alphabet))]
	}
	return string(text)
}

// shaped are secrets that are known by their shape.
var shaped = map[string]string{
	"token":         "AQAEA" + letters(1, base64URL, 49) + "==",
	"random":        letters(3, base64Std, 43) + "=",
	"key id":        "ASIA" + letters(4, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
	"secret key":    letters(5, base64Std, 40),
	"session token": "IQoJb3JpZ2luX2Vj" + letters(6, base64Std, 124) + "==",
}

// phrase is a secret that only its place tells.
const phrase = "correct-horse-battery-staple"

// talk is what is said on a connection with a secret in it.
type talk func(c *packettest.Conversation, secret string)

// get is a call with the line's end and fields, and its answer.
func get(target, fields string) talk {
	return func(c *packettest.Conversation, s string) {
		put := strings.NewReplacer("SECRET", s, "ESCAPED", url.QueryEscape(s), "TWICE", url.QueryEscape(url.QueryEscape(s)),
			"HEX", hexEscape(s), "BASE64", base64.StdEncoding.EncodeToString([]byte("user:"+s)), "HALF", half(s), "REST", s[len(half(s)):])
		exchange(c, "GET "+put.Replace(target)+" HTTP/1.1", "Host: 169.254.169.254\r\n"+put.Replace(fields))
	}
}

// answer is a call and the answer to it, in which the secret is.
func answer(text string) talk {
	return func(c *packettest.Conversation, s string) {
		c.Client("PUT /latest/api/token HTTP/1.1\r\nHost: h\r\nX-aws-ec2-metadata-token-ttl-seconds: 60\r\n\r\n")
		c.Server(strings.NewReplacer("SECRET", s, "LENGTH", fmt.Sprint(len(s)), "SIZE", fmt.Sprintf("%x", len(s))).Replace(text))
	}
}

// send is what the client sends, with an answer.
func send(text string) talk {
	return func(c *packettest.Conversation, s string) {
		c.Client(strings.NewReplacer("SECRET", s, "LENGTH", fmt.Sprint(len(s)), "SIZE", fmt.Sprintf("%x", len(s))).Replace(text))
		c.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	}
}

func half(s string) string { return s[:len(s)/2] }

// hexEscape encodes every byte.
func hexEscape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		fmt.Fprintf(&b, "%%%02x", s[i])
	}
	return b.String()
}

const roleAnswer = `{"Code":"Success","AccessKeyId":"SECRET","SecretAccessKey":"SECRET","Token":"SECRET"}`

// named are places that tell that there is a secret.
var named = map[string]talk{
	"token header":           get("/", "X-aws-ec2-metadata-token: SECRET\r\n"),
	"odd case":               get("/", "x-AWS-eC2-metadata-TOKEN: SECRET\r\n"),
	"no blank":               get("/", "X-aws-ec2-metadata-token:SECRET\r\n"),
	"blank before the colon": get("/", "X-aws-ec2-metadata-token : SECRET \t\r\n"),
	"quoted":                 get("/", "X-aws-ec2-metadata-token: \"SECRET\"\r\n"),
	"with text":              get("/", "X-aws-ec2-metadata-token: <b> SECRET </b>\r\n"),
	"clients of a proxy":     get("/", "X-Forwarded-For: 10.1.2.3\r\nX-Forwarded-For: a, token=SECRET\r\n"),
	"folded":                 get("/", "X-aws-ec2-metadata-token:\r\n SECRET\r\n"),
	"folded in the middle":   get("/", "X-aws-ec2-metadata-token: HALF\r\n\tREST\r\n"),
	"duplicate":              get("/", "X-aws-ec2-metadata-token: SECRET\r\nX-aws-ec2-metadata-token: SECRET\r\n"),
	"line ends of LF only":   send("GET / HTTP/1.0\nX-aws-ec2-metadata-token: SECRET\nUser-Agent: x\n\n"),
	"other header":           get("/", "X-Custom: SECRET\r\n"),
	"line without a colon":   get("/", "SECRET\r\n"),
	"Authorization":          get("/", "Authorization: Bearer SECRET\r\n"),
	"Authorization, Basic":   get("/", "Authorization: Basic BASE64\r\nProxy-Authorization: Basic BASE64\r\n"),
	"Authorization, AWS":     get("/", "Authorization: AWS4-HMAC-SHA256 Credential=SECRET/20260101, Signature=SECRET\r\nX-Amz-Security-Token: SECRET\r\n"),
	"Cookie":                 get("/", "Cookie: a=b; session=SECRET\r\n"),
	"query":                  get("/x?token=SECRET&y=1", ""),
	"query, last":            get("/x?y=1&X-Amz-Security-Token=SECRET", ""),
	"query, encoded":         get("/x?token=ESCAPED&y=1", ""),
	"query, all encoded":     get("/x?password=HEX&y=1", ""),
	"query, twice encoded":   get("/x?u=%2Fx%3Ftoken%3DTWICE&y=1", ""),
	"query, credentials":     get("/x?AccessKeyId=ESCAPED&SecretAccessKey=ESCAPED&Token=ESCAPED", ""),
	"query, JSON":            get("/x?"+url.QueryEscape(`{"Token" : "SECRET"}`), ""),
	"user and password":      get("http://user:ESCAPED@169.254.169.254/latest/", ""),
	"User-Agent, named":      get("/", "User-Agent: curl/8 token=SECRET x\r\n"),
	"pipelined": send("GET /a HTTP/1.1\r\nX-aws-ec2-metadata-token: SECRET\r\n\r\n" +
		"GET /b?token=SECRET HTTP/1.1\r\nUser-Agent: token=SECRET\r\n\r\nGET /c HTTP/1.1\r\nCookie: SECRET\r\n\r\n"),
	"body":                  send("POST / HTTP/1.1\r\nContent-Length: LENGTH\r\n\r\nSECRET"),
	"body, chunked":         send("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nSIZE;ext=SECRET\r\nSECRET\r\n0;x=SECRET\r\nX-Token: SECRET\r\n\r\n"),
	"body not announced":    send("GET / HTTP/1.1\r\n\r\nSECRET"),
	"body like a request":   send("POST / HTTP/1.1\r\nContent-Length: 400\r\n\r\nGET /?token=SECRET HTTP/1.1\r\nHost: SECRET\r\n\r\n"),
	"body expected":         send("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: LENGTH\r\n\r\nSECRET"),
	"upgrade":               send("GET / HTTP/1.1\r\nConnection: upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: SECRET\r\n\r\n"),
	"no HTTP":               func(c *packettest.Conversation, s string) { c.Client("\x16\x03\x01\x02", s); c.Server("\x16\x03", s) },
	"no HTTP, text":         func(c *packettest.Conversation, s string) { c.Client(s+" "+s+"\r\n", s+"\n"); c.Server(s) },
	"answer":                answer("HTTP/1.1 200 OK\r\nContent-Length: LENGTH\r\n\r\nSECRET"),
	"answer, JSON":          answer("HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + roleAnswer),
	"answer, chunked":       answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSIZE;token=SECRET\r\nSECRET\r\n0\r\nX-Token: SECRET\r\nSECRET\r\n\r\n"),
	"answer, chunked wrong": answer("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\nSECRET\r\n"),
	"answer until close":    answer("HTTP/1.0 200 OK\r\n\r\nSECRET\r\n" + roleAnswer),
	"answer longer":         answer("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nSECRET"),
	"answer like an answer": answer("HTTP/1.0 200 OK\r\n\r\nHTTP/1.1 200 OK\r\nServer: token=SECRET\r\n\r\nSECRET"),
	"answer without a head": answer("SECRET\r\n" + roleAnswer),
	"answer's fields":       answer("HTTP/1.1 200 OK\r\nSet-Cookie: a=SECRET\r\nX-aws-ec2-metadata-token: SECRET\r\nServer: token=SECRET\r\nContent-Length: 0\r\n\r\n"),
	"interim answer":        answer("HTTP/1.1 103 Early\r\nLink: SECRET\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"),
	"reason":                answer("HTTP/1.1 401 token=SECRET\r\nContent-Length: 0\r\n\r\n"),
}

// free are places where only the shape tells a secret.
var free = map[string]talk{
	"path":                  get("/latest/SECRET/x", ""),
	"path, encoded":         get("/latest/HEX/x", ""),
	"query alone":           get("/x?SECRET", ""),
	"query, other name":     get("/x?y=ESCAPED&z=1", ""),
	"query, twice encoded":  get("/x?y=TWICE&z=1", ""),
	"user":                  get("http://ESCAPED@169.254.169.254/", ""),
	"User-Agent alone":      get("/", "User-Agent: SECRET\r\n"),
	"User-Agent, comment":   get("/", "User-Agent: curl/8.0 (x; SECRET) y/1\r\n"),
	"Host":                  send("GET / HTTP/1.1\r\nHost: SECRET\r\n\r\n"),
	"Host, part":            send("GET / HTTP/1.1\r\nHost: a.SECRET.example:80\r\n\r\n"),
	"X-Forwarded-For":       get("/", "X-Forwarded-For: SECRET\r\n"),
	"Content-Type":          get("/", "Content-Type: SECRET\r\nAccept: SECRET\r\n"),
	"TTL header":            get("/", "X-aws-ec2-metadata-token-ttl-seconds: 60;SECRET\r\n"),
	"method":                send("SECRET / HTTP/1.1\r\n\r\n"),
	"field name":            get("/", "SECRET: x\r\n"),
	"answer's known fields": answer("HTTP/1.1 200 OK\r\nServer: SECRET\r\nContent-Type: SECRET\r\nContent-Length: 0\r\n\r\n"),
	"reason alone":          answer("HTTP/1.1 401 SECRET\r\nContent-Length: 0\r\n\r\n"),
}

// way is a way of capturing a connection.
type way struct {
	name string
	size int  // most payload of a segment, in bytes
	late bool // the handshake is not captured
	seen func(packettest.Trace) []capture.Packet
}

// ways are all of them: whole and in pieces, in and out of order, with holes,
// cut short, in fragments, from the middle on.
func ways() []way {
	list := []way{
		{"whole", 1448, false, packettest.Trace.Packets},
		{"byte by byte", 1, false, packettest.Trace.Packets},
		{"in pieces", 13, false, packettest.Trace.Packets},
		{"joined late", 50, true, packettest.Trace.Packets},
		{"twice", 30, false, func(t packettest.Trace) []capture.Packet { return t.Twice().Packets() }},
		{"answers only", 1448, false, func(t packettest.Trace) []capture.Packet { return t.Only(false).Packets() }},
		{"backwards", 13, false, backwards},
		{"cooked", 40, false, func(t packettest.Trace) []capture.Packet { return t.On(packettest.SLL2(2, 0)).Packets() }},
		{"padded", 1448, false, padded},
		{"translated", 60, false, func(t packettest.Trace) []capture.Packet {
			return t.Through(packettest.ContainerHops(netip.MustParseAddrPort("192.168.5.4:61001"))...).Packets()
		}},
		{"fragments", 1448, false, func(t packettest.Trace) []capture.Packet { return fragments(t, -1) }},
	}
	for k := range 3 {
		list = append(list,
			way{fmt.Sprintf("lost %d of 3", k), 35, false, func(t packettest.Trace) []capture.Packet { return holed(t, k) }},
			way{fmt.Sprintf("fragment %d lost", k), 1448, false, func(t packettest.Trace) []capture.Packet { return fragments(t, k) }})
	}
	for n := 20; n < 200; n += 25 {
		list = append(list, way{fmt.Sprintf("snaplen %d", n), 1448, false, func(t packettest.Trace) []capture.Packet { return short(t, n) }})
	}
	return list
}

// backwards swaps each two segments with payload of a direction.
func backwards(t packettest.Trace) []capture.Packet {
	for _, fromClient := range []bool{true, false} {
		at := t.Data(fromClient)
		order := make([]int, len(at))
		for i := range order {
			order[i] = i
		}
		for i := 1; i < len(order); i += 2 {
			order[i-1], order[i] = i, i-1
		}
		t = t.Permute(at, order)
	}
	return t.Packets()
}

// holed leaves out each third segment with payload.
func holed(t packettest.Trace, first int) []capture.Packet {
	var lost []int
	for _, fromClient := range []bool{true, false} {
		for i, at := range t.Data(fromClient) {
			if i%3 == first {
				lost = append(lost, at)
			}
		}
	}
	return t.Drop(lost...).Packets()
}

// short keeps no more than n bytes of a payload.
func short(t packettest.Trace, n int) []capture.Packet {
	var packets []capture.Packet
	for _, s := range t {
		packets = append(packets, s.Cut(n))
	}
	return packets
}

// padded has memory's remains behind the packets, as network cards once left.
func padded(t packettest.Trace) []capture.Packet {
	packets := t.Packets()
	for i := range packets {
		packets[i].Data = append(packets[i].Data, shaped["token"]...)
		packets[i].Length = len(packets[i].Data)
		packets[i].Comment = shaped["token"]
	}
	return packets
}

// fragments sends the segments in pieces of 48 bytes, of which each third may
// be lost.
func fragments(t packettest.Trace, lost int) []capture.Packet {
	const size = 48
	var packets []capture.Packet
	for _, s := range t {
		whole := s.IP()
		for i := 0; i*size < len(whole)-20; i++ {
			if i%3 != lost {
				packets = append(packets, s.Wrap(packettest.Fragment4(whole, i*size, (i+1)*size)))
			}
		}
	}
	return packets
}

// planted is a connection with a secret in it.
type planted struct {
	secret  string // its name
	way     string
	packets []capture.Packet
}

// plant has a talk about each secret, captured in each way, one after the other.
func plant(say talk, secrets map[string]string) []planted {
	var list []planted
	now := packettest.Start
	for _, w := range ways() {
		for name, secret := range secrets {
			if w.size == 1 && name != "token" && name != "phrase" { // which take long
				continue
			}
			c := talked(say, secret, len(list), now, w)
			list = append(list, planted{name, w.name, w.seen(c.Trace())})
			now = c.Now.Add(time.Second)
		}
	}
	return list
}

// talked is the talk on a connection of its own, the nth.
func talked(say talk, secret string, n int, now time.Time, w way) *packettest.Conversation {
	c := packettest.From(fmt.Sprintf("10.0.0.7:%d", 20000+n))
	c.SegmentSize, c.Now, c.Step = w.size, now, 100*time.Microsecond
	if w.late {
		c.Opened()
	} else {
		c.Open()
	}
	say(c, secret)
	c.CloseByServer()
	return c
}

func packetsOf(list []planted) []capture.Packet {
	var packets []capture.Packet
	for _, p := range list {
		packets = append(packets, p.packets...)
	}
	return packets
}

// pieceLength is how much of a secret must be nowhere.
const pieceLength = 12

// pieces are all pieces of secrets of that length, with the secrets' names.
type pieces struct {
	names map[string]string
	begin [1 << 16]bool // their first two bytes: most text has none of them
}

func piecesOf(secrets map[string]string) *pieces {
	all := &pieces{names: map[string]string{}}
	for name, secret := range secrets {
		for _, form := range []string{secret, base64.StdEncoding.EncodeToString([]byte("user:" + secret))[8:]} {
			for i := 0; i+pieceLength <= len(form); i++ {
				all.names[form[i:i+pieceLength]] = name
				all.begin[int(form[i])<<8|int(form[i+1])] = true
			}
		}
	}
	return all
}

// find looks for a piece in a text, as it is and without percent-encoding.
func (p *pieces) find(text string) error {
	for plain := unescape(text); ; text, plain = plain, unescape(plain) {
		for i := 0; i+pieceLength <= len(text); i++ {
			if !p.begin[int(text[i])<<8|int(text[i+1])] {
				continue
			}
			if name, found := p.names[text[i:i+pieceLength]]; found {
				return fmt.Errorf("of the %s there is %q behind %q", name, text[i:i+pieceLength], text[max(0, i-60):i])
			}
		}
		if plain == text {
			return nil
		}
	}
}

// unescape removes one layer of percent-encoding.
func unescape(s string) string {
	if !strings.Contains(s, "%") {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if i+3 <= len(s) && s[i] == '%' {
			if plain, err := url.PathUnescape(s[i : i+3]); err == nil {
				b.WriteString(plain)
				i += 2
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// streams are the bytes that the connections of a capture file carry, each
// direction's in order.
func streams(t *testing.T, file string) []string {
	t.Helper()
	source := packettest.Open(file)
	defer source.Close()
	parts := map[string][]part{}
	for {
		p, err := source.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if ip := ipv4(p); len(ip) >= 40 && ip[9] == packettest.ProtocolTCP {
			tcp := ip[20:]
			ports := fmt.Sprintf("%x", tcp[:4])
			parts[ports] = append(parts[ports], part{binary.BigEndian.Uint32(tcp[4:]), slices.Clone(tcp[min(len(tcp), int(tcp[12]>>4)*4):])})
		}
	}
	var all []string
	for _, list := range parts {
		all = append(all, joined(list))
	}
	return all
}

// part is the payload of a segment.
type part struct {
	seq  uint32
	data []byte
}

func joined(list []part) string {
	slices.SortStableFunc(list, func(a, b part) int { return int(int32(a.seq - b.seq)) })
	var text []byte
	next := list[0].seq
	for _, p := range list {
		if repeated := int(int32(next - p.seq)); repeated < len(p.data) {
			text = append(text, p.data[max(0, repeated):]...)
			next = p.seq + uint32(len(p.data))
		}
	}
	return string(text)
}

// ipv4 returns the packet from its IPv4 header on.
func ipv4(p *capture.Packet) []byte {
	header := map[capture.LinkType]int{capture.LinkEthernet: 14, capture.LinkLinuxSLL2: 20}[p.LinkType]
	return p.Data[min(header, len(p.Data)):]
}

// leaks runs the program on a capture file, and returns what of the secrets is
// in what it wrote.
func leaks(t *testing.T, file string, secrets *pieces) (found []error) {
	t.Helper()
	dir := t.TempDir()
	log, saved := filepath.Join(dir, "log"), filepath.Join(dir, "saved")
	text := succeeded(t, "-r", file, "--format", "text", "-o", log, "-w", saved)
	entries := succeeded(t, "-r", file, "--format", "json")
	outputs := map[string]string{
		"the text": text.out, "the summary": text.err, "the JSON": entries.out, "the log": readFile(t, log),
		"the saved packets": readFile(t, saved), "the saved streams": strings.Join(streams(t, saved), "\n"),
	}
	for name, output := range outputs {
		if err := secrets.find(output); err != nil {
			found = append(found, fmt.Errorf("%s: %w", name, err))
		}
	}
	return found
}

func TestSecretsReachNoOutput(t *testing.T) {
	places := map[string]map[string]talk{"named": named, "free": free}
	for kind, list := range places {
		secrets := map[string]string{}
		for name, secret := range shaped {
			secrets[name] = secret
		}
		if kind == "named" {
			secrets["phrase"] = phrase
		}
		all := piecesOf(secrets)
		for place, say := range list {
			t.Run(kind+"/"+place, func(t *testing.T) {
				t.Parallel()
				list := plant(say, secrets)
				file := save(t, packetsOf(list))
				if all.find(strings.Join(streams(t, file), "\n")) == nil {
					t.Fatal("nothing was planted")
				}
				if leaks(t, file, all) == nil {
					return
				}
				for _, p := range list {
					for _, err := range leaks(t, save(t, p.packets), all) {
						t.Fatalf("%s, %s: %v", p.secret, p.way, err)
					}
				}
				t.Error("all together:", leaks(t, file, all))
			})
		}
	}
}

// What is no segment of a connection to the service is not saved, or without
// what it carries.
func TestSecretsInOtherPackets(t *testing.T) {
	secret := shaped["token"]
	head := "GET / HTTP/1.1\r\nX-aws-ec2-metadata-token: " + secret + "\r\n\r\n"
	var packets []capture.Packet
	for i, service := range []string{"10.0.0.9:443", "10.0.0.9:80", "169.254.169.254:8080", "169.254.170.2:80"} {
		c := packettest.From(fmt.Sprintf("10.0.0.7:%d", 20000+i))
		c.ServiceAddr = netip.MustParseAddrPort(service)
		c.Open()
		c.Client(head)
		c.Server(secret)
		packets = append(packets, c.Packets()...)
	}
	link, client, service := packettest.Ethernet(), packettest.Client, packettest.Service
	router := netip.MustParseAddr("10.0.0.1")
	c := packettest.New()
	c.Opened()
	c.Client(head)
	for _, ip := range [][]byte{
		packettest.UDP(client, service, secret),
		packettest.UDP(service, client, secret),
		packettest.ICMP(router, client.Addr(), packettest.ICMPTimeExceeded, c.Trace()[0].IP()),
		packettest.ICMP(service.Addr(), client.Addr(), packettest.ICMPUnreachable, c.Trace()[0].IP()),
	} {
		packets = append(packets, link.Packet(ip, packettest.Start))
	}
	file := save(t, append(packets, asks("10.0.0.7:20009", "/").Packets()...))
	for _, err := range leaks(t, file, piecesOf(shaped)) {
		t.Error(err)
	}
}

// Names that a capture has for interfaces, networks and processes, and headers below HTTP, can
// hold anything.
func TestSecretsInHeaders(t *testing.T) {
	for name, secret := range secretsAndPhrase() {
		text := "token=" + secret
		var packets []capture.Packet
		for i, edit := range []func(s *packettest.Segment){
			func(s *packettest.Segment) { s.InterfaceID, s.Interface = 1, text },
			func(s *packettest.Segment) { s.InterfaceID, s.Network = 2, "net:["+text+"]" },
			func(s *packettest.Segment) {
				s.Options = append([]byte{253, 40}, (secret + strings.Repeat("x", 38))[:38]...)
			},
			func(s *packettest.Segment) {
				s.IPOptions = append([]byte{94, 40}, (secret + strings.Repeat("x", 38))[:38]...)
			},
			func(s *packettest.Segment) { s.Link = withPrefix(text) },
			func(s *packettest.Segment) {
				s.Link = packettest.Pktap{Interface: text, Sender: imds.Sender{PID: 7, Name: text, ForPID: 8, ForName: text}, Inner: packettest.Ethernet()}.Second()
			},
		} {
			c := asks(fmt.Sprintf("10.0.0.7:%d", 20000+i), "/latest/meta-data/mac")
			packets = append(packets, c.Trace().Edit(func(_ int, s *packettest.Segment) { edit(s) }).Packets()...)
		}
		secrets := map[string]string{name: secret}
		for _, err := range leaks(t, save(t, packets), piecesOf(secrets)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// withPrefix is NFLOG with a prefix of that text before each packet (nft(8), "log prefix").
func withPrefix(text string) packettest.Link {
	plain := packettest.NFLOG(binary.LittleEndian)
	return packettest.Link{Type: plain.Type, Header: func(etherType uint16) []byte {
		value := text + strings.Repeat("\x00", 4-len(text)%4)
		attribute := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(4+len(value))), 10)
		return slices.Insert(plain.Header(etherType), 4, append(attribute, value...)...)
	}}
}

// Of two segments with the same sequence numbers the receiver takes one; the
// other can carry anything.
func TestSecretsInOverlappingSegments(t *testing.T) {
	c := asks("10.0.0.7:20000", "/latest/meta-data/instance-id", "/latest/meta-data/mac")
	var packets []capture.Packet
	for _, s := range c.Trace() {
		again := s
		again.Payload = []byte(strings.Repeat(shaped["token"], 4)[:len(s.Payload)])
		packets = append(packets, s.Packet(), again.Packet())
	}
	for _, err := range leaks(t, save(t, packets), piecesOf(shaped)) {
		t.Error(err)
	}
}

// What is said of a file that is cut off or is no capture quotes nothing of it.
func TestSecretsInBadFiles(t *testing.T) {
	all := piecesOf(shaped)
	whole := readFile(t, save(t, packetsOf(plant(named["answer, JSON"], shaped))))
	for _, data := range []string{whole[:len(whole)/2-7], whole[:len(whole)-5], shaped["token"], "\x00\x01" + shaped["secret key"], pack(t, shaped["token"])} {
		saved := filepath.Join(t.TempDir(), "saved")
		r := runOn(strings.NewReader(data), "-r", "-", "-w", saved)
		if err := all.find(r.out + r.err + readFile(t, saved)); err != nil || r.status == 0 {
			t.Errorf("exit status %d, %v", r.status, err)
		}
	}
}
