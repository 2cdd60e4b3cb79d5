//go:build soak

package cli_test

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// What comes and goes, and what the test does itself.

// times runs a test again and again until the time is over, and counts.
func (s *soak) times(t *testing.T, pause time.Duration, count *int, test func(t *testing.T, i int)) {
	for i := 0; s.goesOn(pause); i++ {
		if !t.Run(fmt.Sprint(i), func(t *testing.T) { test(t, i) }) {
			return
		}
		*count++
	}
}

// hiddenNetworks has containers come and go whose packets do not pass the host.
func (s *soak) hiddenNetworks(t *testing.T) {
	s.times(t, 6*time.Second, &s.count.hidden, func(t *testing.T, i int) {
		hidden := newSiteWith(t, soakService4)
		hidden.service.follow(rules{delay: lifeTime})
		defer hidden.host.occupy(t)()
		eventually(t, "the capture", func() bool { return hidden.host.isCapturedBy(t, s.program) }) // not by others on this machine
		for n := range 3 {
			call := hidden.curlIn(t, hidden.host, soakService4, fmt.Sprintf("/latest/meta-data/hidden/%d/%d", i, n))
			call.client = "curl in a hidden network"
			s.reckoning.made(call, executableOf(t, "curl"), "")
		}
	})
}

// isCapturedBy reports whether it is the program that captures packets in the namespace.
func (n *namespace) isCapturedBy(t *testing.T, p *liveProgram) bool {
	t.Helper()
	inodes := n.packetSockets(t)
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Process.Pid))
	return slices.ContainsFunc(links, func(link string) bool {
		target, _ := os.Readlink(link)
		inode, isSocket := strings.CutPrefix(target, "socket:[")
		return isSocket && slices.Contains(inodes, strings.TrimSuffix(inode, "]"))
	})
}

// golang is the client that needs no other files.
func (s *soak) golang() liveClient {
	i := slices.IndexFunc(s.clients, func(c soakClient) bool { return c.name == "go" })
	return s.clients[i].liveClient
}

// bridgedNetworks has containers come and go that are behind a bridge and address translation.
func (s *soak) bridgedNetworks(t *testing.T) {
	golang := s.golang()
	s.times(t, 4*time.Second, &s.count.bridged, func(t *testing.T, i int) {
		container := newNamespace(t)
		s.host.ip(t, "link add port0 type veth peer name eth0 netns "+container.path+`
			link set port0 master bridge0
			link set port0 up`)
		container.ip(t, `
			link set eth0 up
			addr add `+container4.String()+`/24 dev eth0
			addr add `+container6.String()+`/64 dev eth0 nodad
			route add default via 198.51.100.1
			route add default via 2001:db8::1`)
		c := golang
		c.keepAlive = i%2 == 0
		s.bridge.follow(rules{delay: lifeTime})
		e := errand{service: soakService4, withPUT: rand.IntN(2) == 0, giveUpAfter: "10", name: "bridged"}
		if i%3 == 0 {
			e.service = soakService6
		}
		pids := runClient(t, container, c, e.environment(c))
		for n, access := range s.bridge.take(t) {
			access.source = netip.AddrPortFrom(container4, access.source.Port())
			if access.service == soakService6 {
				access.source = netip.AddrPortFrom(container6, access.source.Port())
			}
			s.reckoning.made(made{access, c.name + " behind a bridge", pids[n]}, c.command[0], "")
		}
	})
}

// containers has podman and runc run containers.
func (s *soak) containers(t *testing.T) {
	client := s.golang().command[0]
	e := errand{service: soakService4, name: "container", giveUpAfter: "10"}
	all := e.environment(liveClient{})
	environment := all[len(plainEnvironment()):]
	kinds := []struct {
		name string
		run  func(*runtimeHost, *testing.T, string, []string) ran
	}{
		{"podman", (*runtimeHost).podman},
		{"runc as docker", (*runtimeHost).runcAsDocker},
		{"runc as containerd", (*runtimeHost).runcAsContainerd},
	}
	s.times(t, 3*time.Second, &s.count.containers, func(t *testing.T, i int) {
		kind := kinds[i%len(kinds)]
		s.root.follow(rules{delay: lifeTime})
		r := kind.run(s.host, t, rootFileSystem(t, client), environment)
		for _, access := range s.root.take(t) {
			s.reckoning.made(made{access, "go in a container by " + kind.name, r.pid}, "/client", r.want.Container.ID)
		}
	})
}

// interfaces come, have addresses, are renamed, and vanish; so do addresses of one that is used.
func (s *soak) interfaces(t *testing.T) {
	s.times(t, 2*time.Second, &s.count.interfaces, func(t *testing.T, _ int) {
		s.host.ip(t, `
			link add flap0 type veth peer name flap1
			link set flap0 up
			link set flap1 up
			addr add 203.0.113.200/32 dev flap0
			addr add 203.0.113.201/32 dev `+hostInterface+`
			link set flap0 down
			link set flap0 name flap9
			link set flap9 up
			addr del 203.0.113.201/32 dev `+hostInterface+`
			link set flap1 down
			link del flap9`)
	})
}

// stops halts the program now and then.
func (s *soak) stops(t *testing.T) {
	s.times(t, 5*time.Second, &s.count.stops, func(t *testing.T, _ int) {
		if err := s.program.Process.Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		_, _ = unix.Poll(nil, 50+rand.IntN(250)) // how long is what is tried
		if err := s.program.Process.Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	})
}

// dial connects the test's lane with the service.
func (s *soak) dial(t *testing.T) *connection {
	t.Helper()
	dialer := net.Dialer{Timeout: patience, LocalAddr: &net.TCPAddr{IP: s.own.addresses[0].AsSlice()}}
	var conn net.Conn
	if err := s.host.do(func() (err error) {
		conn, err = dialer.Dial("tcp", netip.AddrPortFrom(soakService4, 80).String())
		return err
	}); err != nil {
		t.Fatal(err)
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return &connection{conn, bufio.NewReader(conn)}
}

// ownConnections are calls that the test makes itself, bit by bit where it matters: one connection
// is kept for all the time.
func (s *soak) ownConnections(t *testing.T) {
	kept := s.dial(t)
	defer kept.Close()
	ways := []struct {
		name string
		call func(t *testing.T, kept *connection)
	}{
		{"kept connection", s.callKept},
		{"HEAD", s.callHead},
		{"split head", s.callSplit},
		{"kept connection", s.callKept},
		{"aborted before the answer", s.callAborted},
		{"aborted in the head", s.callHalf},
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; s.goesOn(soakPace); i++ {
		way := ways[i%len(ways)]
		way.call(t, kept)
		for _, access := range s.own.take(t) {
			s.reckoning.made(made{access, way.name, os.Getpid()}, exe, "")
		}
	}
}

const soakHead = " HTTP/1.1\r\nHost: 169.254.169.254\r\n"

// speak sends a request in parts, and reads the answer.
func speak(t *testing.T, c *connection, method string, parts ...string) {
	t.Helper()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for i, part := range parts {
		if i > 0 {
			_, _ = unix.Poll(nil, 20) // a segment of its own
		}
		c.send(t, part)
	}
	response, err := http.ReadResponse(c.reader, &http.Request{Method: method})
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if _, err := io.Copy(io.Discard, response.Body); err != nil {
		t.Fatal(err)
	}
}

func (s *soak) callKept(t *testing.T, kept *connection) {
	s.own.follow(rules{v1Refused: rand.IntN(2) == 0})
	speak(t, kept, "GET", "GET /latest/meta-data/kept"+soakHead+"\r\n")
}

func (s *soak) callHead(t *testing.T, _ *connection) {
	c := s.dial(t)
	defer c.Close()
	s.own.follow(rules{})
	speak(t, c, "HEAD", "HEAD /latest/meta-data/head"+soakHead+"X-aws-ec2-metadata-token: "+standInToken+"\r\n\r\n")
	speak(t, c, "HEAD", "HEAD /latest/meta-data/absent"+soakHead+"\r\n")
}

func (s *soak) callSplit(t *testing.T, _ *connection) {
	c := s.dial(t)
	defer c.Close()
	s.own.follow(rules{delay: lifeTime})
	speak(t, c, "GET", "GET /latest/meta-", "data/split"+soakHead+"X-aws-ec2-meta", "data-token: "+standInToken+"\r\n\r", "\n")
}

// callAborted resets the connection when the service has the request.
func (s *soak) callAborted(t *testing.T, _ *connection) {
	c := s.dial(t)
	s.own.follow(rules{delay: patience})
	c.send(t, "GET /latest/meta-data/aborted"+soakHead+"\r\n")
	eventually(t, "the request", func() bool { return s.own.soFar() == 1 })
	reset(t, c)
}

// callHalf resets the connection in the middle of a head, which the service does not log. What is
// missing could have been a token.
func (s *soak) callHalf(t *testing.T, _ *connection) {
	c := s.dial(t)
	c.send(t, "GET /latest/meta-data/half"+soakHead)
	half := call{
		source: c.LocalAddr().(*net.TCPAddr).AddrPort(), service: soakService4, method: "GET", target: "/latest/meta-data/half",
		version: "unknown", incomplete: "connection_closed",
	}
	reset(t, c)
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	s.reckoning.made(made{half, "aborted in the head", os.Getpid()}, exe, "")
}

// reset closes the connection by RST.
func reset(t *testing.T, c *connection) {
	t.Helper()
	if err := c.Conn.(*net.TCPConn).SetLinger(0); err != nil {
		t.Fatal(err)
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
