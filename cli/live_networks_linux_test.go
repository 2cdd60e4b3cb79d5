package cli_test

import (
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Programs that capture in other network namespaces see those of all tests that
// run meanwhile. Each of these has an address of the service to itself.
var (
	insideService  = netip.MustParseAddr("169.254.169.10")
	hiddenService  = netip.MustParseAddr("169.254.169.11")
	missedService  = netip.MustParseAddr("169.254.169.12")
	briefService   = netip.MustParseAddr("169.254.169.13")
	visibleService = netip.MustParseAddr("169.254.169.14")
	changedService = netip.MustParseAddr("169.254.169.15")
)

// isCaptured reports whether somebody captures packets in the namespace.
func (n *namespace) isCaptured(t *testing.T) bool {
	t.Helper()
	return n.captures(t) > 0
}

// captures is how many packet sockets the namespace has that run.
func (n *namespace) captures(t *testing.T) (sum int) {
	t.Helper()
	return len(n.packetSockets(t))
}

// packetSockets are the inodes of those that run (proc_pid_net(5)).
func (n *namespace) packetSockets(t *testing.T) (inodes []string) {
	t.Helper()
	sockets, err := os.ReadFile(strings.TrimSuffix(n.path, "ns/net") + "net/packet")
	if err != nil {
		t.Fatal(err)
	}
	const running, inode = 5, 8 // the columns R and Inode
	for line := range strings.Lines(string(sockets)) {
		if fields := strings.Fields(line); len(fields) > inode && fields[running] == "1" {
			inodes = append(inodes, fields[inode])
		}
	}
	return inodes
}

// occupy has a process live in the namespace until the returned function is
// called.
func (n *namespace) occupy(t *testing.T) (end func()) {
	t.Helper()
	cmd := exec.Command(tool(t, "cat"))
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := n.start(cmd); err != nil {
		t.Fatal(err)
	}
	return func() {
		_ = in.Close()
		_ = cmd.Wait()
	}
}

// descriptors is how many the program has open.
func (p *liveProgram) descriptors() int {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Process.Pid))
	return len(links)
}

// holds reports whether the program has the file open that has the name now.
func (p *liveProgram) holds(name string) bool {
	links, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", p.Process.Pid))
	return slices.ContainsFunc(links, func(link string) bool {
		to, err := os.Readlink(link)
		return err == nil && to == name
	})
}

// eventually waits for what others do.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within %v", what, patience)
		}
		_, _ = unix.Poll(nil, 10)
	}
}

// curlIn has curl call the service from a namespace.
func (s *site) curlIn(t *testing.T, n *namespace, service netip.Addr, path string) made {
	t.Helper()
	before := len(s.service.log.soFar())
	cmd := exec.Command(tool(t, "curl"), "-s", "http://"+service.String()+path)
	cmd.Env = plainEnvironment()
	wait, err := n.startBounded(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := wait(); err != nil {
		t.Fatal(err)
	}
	return made{s.service.calls(t, before, 1)[0], "curl", cmd.Process.Pid}
}

// Containers that have an interface of their own are captured in their own
// namespaces, each with the right process, also where two have the same address.
func TestLiveOwnInterfaces(t *testing.T) {
	for _, ways := range [][]string{nil, {"--attribution", "sock_diag"}} {
		t.Run(strings.Join(ways, " "), func(t *testing.T) {
			host := newNamespace(t)
			one, two := newSiteWith(t, hiddenService), newSiteWith(t, hiddenService)
			defer one.host.occupy(t)()
			p := host.watchAll(t, append([]string{"--endpoint", hiddenService.String()}, ways...)...)
			defer two.host.occupy(t)() // comes later than the capture
			eventually(t, "captures in both", func() bool {
				return one.host.isCaptured(t) && two.host.isCaptured(t)
			})
			var calls []made
			for i, s := range []*site{one, two, one, two} {
				s.service.follow(rules{delay: lifeTime})
				calls = append(calls, s.curlIn(t, s.host, hiddenService, fmt.Sprintf("/latest/meta-data/%d", i)))
			}
			entries := entriesOf(t, p.stop(t, os.Interrupt))
			checkSeen(t, entries, calls)
			checkCallers(t, entries, calls, ways == nil) // sock_diag has to be quick
		})
	}
}

// A container whose packets pass the host is seen there, and each call once. The calls of a thread
// that has gone to another namespace than its process, as this test's do, are the process's.
func TestLiveVisibleContainer(t *testing.T) {
	s := newSiteWith(t, visibleService)
	container := s.addContainer(t)
	p := s.host.watchAll(t, "--endpoint", visibleService.String())
	defer container.occupy(t)()
	call := s.curlIn(t, container, visibleService, "/latest/meta-data/")
	call.source = containerSource(call.call)
	s.connect(t, visibleService).get(t, "/latest/meta-data/thread")
	calls := []made{call, {s.service.calls(t, 1, 1)[0], "a thread", os.Getpid()}}
	log := p.stop(t, os.Interrupt)
	check(t, log, calls)
	if !strings.Contains(log, `"connections_without_packets":0`) {
		t.Errorf("connections were missed: %s", log)
	}
}

// A connection whose packets are not captured is reported.
func TestLiveWithoutPackets(t *testing.T) {
	t.Parallel()
	host, s := newNamespace(t), newSiteWith(t, missedService)
	p := host.watch(t, "--endpoint", missedService.String())
	s.curlIn(t, s.host, missedService, "/latest/meta-data/")
	lines := slices.Collect(strings.Lines(p.stop(t, os.Interrupt)))
	end := detailsOf(t, lines[len(lines)-1]).IMDS.Capture
	if end.ConnectionsWithoutPackets == nil || *end.ConnectionsWithoutPackets != 1 || end.NetworkNamespaces != nil ||
		len(end.WithoutPackets) != 1 || end.WithoutPackets[0].Process.Name != "curl" || end.WithoutPackets[0].Connections != 1 {
		t.Errorf("%+v", end)
	}
	if !strings.Contains(p.errors(), "\nNot captured: 1 connection of ") || strings.Contains(p.errors(), "were not captured\n") || !strings.Contains(p.errors(), "1 connection was made whose packets were not captured") {
		t.Error(p.errors())
	}
}

// What is opened in a namespace is closed when its last process has ended, so
// that the namespace can go.
func TestLiveNetworksComeAndGo(t *testing.T) {
	const rounds = 12
	host := newNamespace(t)
	p := host.watchAll(t, "--endpoint", briefService.String())
	before := 0 // descriptors, once all that was there at the start is captured, too
	var calls []made
	for i := range rounds {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			s := newSiteWith(t, briefService)
			end := s.host.occupy(t)
			eventually(t, "captured", func() bool { return s.host.isCaptured(t) })
			calls = append(calls, s.curlIn(t, s.host, briefService, fmt.Sprintf("/latest/meta-data/%d", i)))
			end()
			eventually(t, "left", func() bool { return !s.host.isCaptured(t) })
		})
		if i == 0 {
			before = p.descriptors()
		}
	}
	eventually(t, "descriptors closed", func() bool { return p.descriptors() <= before })
	check(t, p.stop(t, os.Interrupt), calls)
}

// Entering namespaces takes CAP_SYS_ADMIN, which is kept then.
func TestLiveNetworkPrivileges(t *testing.T) {
	t.Parallel()
	const raw, ptrace, search, admin = unix.CAP_NET_RAW, unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_ADMIN
	for _, test := range []privileged{
		{name: "root", without: true, mounts: withoutTracefs, kept: []int{search, ptrace, admin, raw}},
		{
			name: "root without SYS_ADMIN", capabilities: []int{admin}, without: true, mounts: withTracefs,
			kept: []int{search, ptrace}, said: []string{"Containers with a network interface of their own are not captured"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			host := newNamespace(t)
			p := launch(t, test.thread(t, &site{host: host}), liveCommand("--format", "json", "--endpoint", "192.0.2.3"))
			p.awaitStart(t)
			test.checkThreads(t, p)
			p.stop(t, os.Interrupt)
			test.checkSaid(t, p)
		})
	}
}

// Privileges are dropped also where those that look at processes and namespaces meanwhile
// have all descriptors.
func TestLivePrivilegesWithFewFiles(t *testing.T) {
	t.Parallel()
	host := newNamespace(t)
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for files := 16; files < 40; files += 2 {
		t.Run(fmt.Sprint(files), func(t *testing.T) {
			cmd := liveCommand()
			cmd.Path = tool(t, "prlimit")
			cmd.Args = []string{"prlimit", fmt.Sprintf("--nofile=%d", files), own, "--endpoint", "192.0.2.3"}
			p := launch(t, host, cmd)
			started := false
			p.err.until(func(lines []string, whole bool) bool {
				started = slices.ContainsFunc(lines, isStart)
				return started || whole
			})
			if !started {
				p.finish(t, 1) // for want of a socket to capture on
				return
			}
			for _, state := range threadStates(t, p.Process.Pid) {
				if state.effective&(1<<unix.CAP_CHOWN) != 0 {
					t.Errorf("%+v", state)
				}
			}
			p.stop(t, os.Interrupt)
			if strings.Contains(p.errors(), "More privileges are kept") || strings.Contains(p.errors(), "processors came or went") {
				t.Error(p.errors())
			}
		})
	}
}
