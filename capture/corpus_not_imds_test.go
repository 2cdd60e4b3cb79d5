package capture_test

import (
	"net/netip"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// to is a whole call to some other service.
func to(service string) func() packettest.Trace {
	return func() packettest.Trace {
		c := packettest.New()
		c.ServiceAddr = netip.MustParseAddrPort(service)
		if c.ServiceAddr.Addr().Is6() {
			c.ClientAddr = packettest.Client6
		}
		return oneCall(c)
	}
}

// What is no call to the metadata service, whatever it looks like.
func TestCorpusNotIMDS(t *testing.T) {
	clientHello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + text(500)
	runCorpus(t, []corpusCase{
		{name: "ECS task metadata at 169.254.170.2", trace: to("169.254.170.2:80")},
		{name: "EKS Pod Identity at 169.254.170.23", trace: to("169.254.170.23:80")},
		{name: "DNS over TCP at 169.254.169.253", trace: to("169.254.169.253:53")},
		{name: "NTP at 169.254.169.123", trace: to("169.254.169.123:80")},
		{name: "another port of the service", trace: to("169.254.169.254:8080")},
		{name: "port 443 of the service", trace: to("169.254.169.254:443")},
		{name: "port 80 of another host", trace: to("93.184.216.34:80")},
		{name: "EKS Pod Identity over IPv6", trace: to("[fd00:ec2::23]:80")},
		{name: "DNS over IPv6", trace: to("[fd00:ec2::253]:80")},
		{name: "another port over IPv6", trace: to("[fd00:ec2::254]:8080")},
		{name: "a client at the service's address", trace: func() packettest.Trace {
			c := packettest.New()
			c.ClientAddr, c.ServiceAddr = netip.MustParseAddrPort("169.254.169.254:40000"), netip.MustParseAddrPort("10.0.0.7:80")
			return oneCall(c)
		}},
		{name: "the service's port 80 as a client", trace: func() packettest.Trace {
			c := packettest.New()
			c.ClientAddr, c.ServiceAddr = netip.MustParseAddrPort("169.254.169.254:80"), netip.MustParseAddrPort("10.0.0.7:9000")
			return oneCall(c)
		}},
		{name: "a client's leg to a proxy, and the proxy's own", want: []string{"10.0.0.1:50000 v1 GET /latest/meta-data/ 200"},
			trace: func() packettest.Trace {
				leg := packettest.New()
				leg.ServiceAddr = netip.MustParseAddrPort("10.0.0.1:80")
				own := packettest.From("10.0.0.1:50000")
				own.Now = own.Now.Add(500_000)
				return packettest.Merge(oneCall(leg), oneCall(own))
			}},
		{name: "absolute form to a proxy", trace: func() packettest.Trace {
			c := packettest.New()
			c.ServiceAddr = netip.MustParseAddrPort("10.0.0.1:3128")
			c.Open()
			c.Client(get("http://169.254.169.254/latest/meta-data/", tokenField))
			c.Server(ok())
			return c.Trace()
		}},
		{name: "TLS", talk: said(clientHello)},
		{name: "TLS answered with TLS", talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(clientHello)
			c.Server("\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03" + text(200))
			c.Client("\x17\x03\x03\x00\x40" + get("/evil"))
			c.Close()
		}},
		{name: "TLS midstream", talk: func(c *packettest.Conversation) {
			c.Opened()
			c.Client("\x17\x03\x03\x00\x40" + text(64))
			c.Server("\x17\x03\x03\x00\x40" + text(64))
		}},
		{name: "garbage", talk: said("\x00\x01\x02\x03\xff\xfe garbage\r\n\r\n")},
		{name: "zeros", talk: said(string(make([]byte, 4000)))},
		{name: "HTTP/2 with prior knowledge", talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			c.Server("\x00\x00\x00\x04\x00\x00\x00\x00\x00")
			c.Client("\x00\x00\x20\x01\x05\x00\x00\x00\x01" + text(32))
			c.Close()
		}},
		{name: "SSH", talk: said("SSH-2.0-OpenSSH_9.6\r\n")},
		{name: "words", talk: said("hello there\r\n\r\n")},
		{name: "words of which the last are GET / HTTP/1.1", talk: said("please do GET / HTTP/1.1\r\n\r\n"),
			// RFC 9112, section 3: a blank in the target may be taken or not.
			or: [][]string{{"v1 please do GET / 200"}}},
		{name: "PROXY protocol's binary signature", talk: said("\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c")},
		{name: "an answer from the client", talk: said(ok())},
		{name: "JSON", talk: said("{\"GET\": \"/ HTTP/1.1\"}\r\n\r\n")},
		{name: "a request from the service", talk: func(c *packettest.Conversation) {
			c.Open()
			c.Server(get("/evil"))
			c.Client(ok())
			c.Close()
		}},
		{name: "a request in an answer's body", want: oneCallLines, talk: func(c *packettest.Conversation) {
			c.Open()
			c.Client(get("/latest/meta-data/"))
			c.Server(message("HTTP/1.1 200 OK", length(get("/evil"))), get("/evil"))
		}},
		{name: "nothing", packets: func() []capture.Packet { return nil }},
	})
	runCorpus(t, append(datagrams(), customEndpoints()...))
}

func datagrams() []corpusCase {
	link := packettest.Ethernet()
	wrap := func(ips ...[]byte) func() []capture.Packet {
		return func() []capture.Packet {
			var packets []capture.Packet
			for _, ip := range ips {
				packets = append(packets, link.Packet(ip, packettest.Start))
			}
			return packets
		}
	}
	quoted := func() []byte { t := oneCall(packettest.New()); return t[t.Data(true)[0]].IP() }()
	quoted6 := func() []byte { t := oneCall(packettest.New6()); return t[t.Data(true)[0]].IP() }()
	router := netip.MustParseAddr("10.0.0.1")
	router6 := netip.MustParseAddr("fd00:1::1")
	return []corpusCase{
		{name: "UDP to the endpoint", packets: wrap(packettest.UDP(packettest.Client, packettest.Service, get("/evil")))},
		{name: "UDP to the endpoint over IPv6", packets: wrap(packettest.UDP(packettest.Client6, packettest.Service6, get("/evil")))},
		{name: "DNS over UDP", packets: wrap(packettest.UDP(packettest.Client, netip.MustParseAddrPort("169.254.169.253:53"), text(40)))},
		{name: "NTP", packets: wrap(packettest.UDP(packettest.Client, netip.MustParseAddrPort("169.254.169.123:123"), text(48)))},
		{name: "ICMP that quotes a request", packets: wrap(packettest.ICMP(router, packettest.Client.Addr(), packettest.ICMPTimeExceeded, quoted))},
		{name: "ICMP from the service that quotes a request", packets: wrap(packettest.ICMP(packettest.Service.Addr(), packettest.Client.Addr(), packettest.ICMPUnreachable, quoted))},
		{name: "ICMP to the service that quotes a request", packets: wrap(packettest.ICMP(packettest.Client.Addr(), packettest.Service.Addr(), 8, quoted))},
		{name: "ICMPv6 that quotes a request", packets: wrap(packettest.ICMPv6(router6, packettest.Client6.Addr(), 3, quoted6))},
		{name: "IP in IP is not looked into", packets: wrap(packettest.IPv4{Src: packettest.Client.Addr(), Dst: packettest.Service.Addr(), Protocol: 4, TTL: 64}.Bytes(quoted))},
		{name: "ICMP inside of a connection changes nothing", want: oneCallLines, packets: func() []capture.Packet {
			var packets []capture.Packet
			for _, s := range oneCall(packettest.New()) {
				packets = append(packets, s.Packet(), s.Wrap(packettest.ICMP(router, s.Src, packettest.ICMPTimeExceeded, s.IP())))
			}
			return packets
		}},
		{name: "UDP with a connection's ports changes nothing", want: oneCallLines, packets: func() []capture.Packet {
			var packets []capture.Packet
			for _, s := range oneCall(packettest.New()) {
				packets = append(packets, s.Packet(), s.Wrap(packettest.UDP(packettest.Client, packettest.Service, string(s.Payload))))
			}
			return packets
		}},
	}
}

func customEndpoints() []corpusCase {
	return []corpusCase{
		{name: "the default endpoint is not looked for", endpoints: []string{"127.0.0.1:1338"}, trace: to("169.254.169.254:80")},
		{name: "an endpoint with a port", endpoints: []string{"127.0.0.1:1338"}, trace: to("127.0.0.1:1338"),
			want: []string{">127.0.0.1:1338 v1 GET /latest/meta-data/ 200"}},
		{name: "an endpoint's address with another port", endpoints: []string{"127.0.0.1:1338"}, trace: to("127.0.0.1:80")},
		{name: "an endpoint of IPv6", endpoints: []string{"[2001:db8::1]:8080"}, trace: to("[2001:db8::1]:8080"),
			want: []string{">[2001:db8::1]:8080 v1 GET /latest/meta-data/ 200"}},
		{name: "one of several endpoints", endpoints: []string{"169.254.169.254", "10.9.9.9:8111", "[fd00:ec2::254]"}, trace: to("10.9.9.9:8111"),
			want: []string{">10.9.9.9:8111 v1 GET /latest/meta-data/ 200"}},
		{name: "two endpoints with the same client", endpoints: []string{"169.254.169.254", "10.9.9.9:80"},
			trace: func() packettest.Trace { return packettest.Merge(to("10.9.9.9:80")(), to("169.254.169.254:80")()) },
			want:  []string{">10.9.9.9:80 v1 GET /latest/meta-data/ 200", "v1 GET /latest/meta-data/ 200"},
			or:    [][]string{{"v1 GET /latest/meta-data/ 200", ">10.9.9.9:80 v1 GET /latest/meta-data/ 200"}}},
		{name: "a client on the service's own address", endpoints: nil, want: []string{"169.254.169.254:51000 v1 GET /latest/meta-data/ 200"},
			trace: func() packettest.Trace { return oneCall(packettest.From("169.254.169.254:51000")) }},
		{name: "a client from port 80", endpoints: nil, want: []string{"10.0.0.7:80 v1 GET /latest/meta-data/ 200"},
			trace: func() packettest.Trace { return oneCall(packettest.From("10.0.0.7:80")) }},
		{name: "an IPv4-mapped address is not the endpoint", trace: func() packettest.Trace {
			c := packettest.New()
			c.ClientAddr = netip.AddrPortFrom(netip.MustParseAddr("::ffff:10.0.0.7"), 40000)
			c.ServiceAddr = netip.AddrPortFrom(netip.MustParseAddr("::ffff:169.254.169.254"), 80)
			return oneCall(c)
		}},
	}
}
