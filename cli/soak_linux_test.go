//go:build soak

package cli_test

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// The addresses of the service. They are none that other captures on this machine look for.
var (
	soakService4 = netip.MustParseAddr("169.254.173.29")
	soakService6 = netip.MustParseAddr("fd00:ec2::5eed")
)

// soakPace is how long each who calls waits before the next: together they make 20 to 60 calls a second.
const soakPace = 250 * time.Millisecond

// soakLanes is how many clients run on the host at once.
const soakLanes = 5

// soak is a long run.
type soak struct {
	host      *runtimeHost
	access    *soakAccess
	hostLanes []*lane
	// bridge is for containers behind a bridge, root for what runs as root on the host, own for
	// the test itself.
	bridge, root, own *lane

	clients     []soakClient
	dir, binary string
	program     *liveProgram
	// twin does the same, and is asked at its end for its goroutines: by that the program itself
	// would not come to an end of its log.
	twin                     *liveProgram
	goroutines, atFirst      int // of the twin at its end; of another like it at its start
	networks, networksBefore int // that they captured in then

	reckoning *reckoning
	harvested sync.Mutex // guards what follows
	kept      []string   // the files of the log that are complete
	others    []string   // the lines of the log that are no calls
	late      []string   // what was not in order first, a minute after it was made or told

	began        time.Time
	over         chan struct{}
	kindsAtFirst map[string]int // of descriptors
	figures      []figures

	eventsLost int
	reported   int // how often a report was made
	counted    []soakCount
	count      struct {
		hidden, bridged, containers, interfaces, stops, hangups, rotations, reports, scrapes int
	}
}

// goesOn waits, and reports whether the time is not over.
func (s *soak) goesOn(pause time.Duration) bool {
	select {
	case <-s.over:
		return false
	case <-time.After(pause):
		return true
	}
}

// newSoak makes the host, the service and the program.
func newSoak(t *testing.T) *soak {
	t.Helper()
	s := &soak{
		dir: t.TempDir(), binary: soakSetting(t, soakProgramVariable), reckoning: newReckoning(), over: make(chan struct{}),
		bridge: newLane("bridge", "203.0.113.102", "fd00:ec2::1:102"), root: newLane("root", "192.0.2.1", "fd00:ec2::1"),
		own: newLane("own", "203.0.113.50"),
	}
	for i := range soakLanes {
		s.hostLanes = append(s.hostLanes, newLane(fmt.Sprint(i), fmt.Sprintf("203.0.113.%d", 1+i), fmt.Sprintf("fd00:ec2::1:%d", 1+i)))
	}
	for _, dir := range []string{"log", "kept", "twin"} {
		if err := os.Mkdir(filepath.Join(s.dir, dir), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	host, far := newCable(t, soakService4, soakService6)
	s.addLanes(t, host)
	s.access = startSoakService(t, far, append(s.hostLanes, s.bridge, s.root, s.own))
	const storage = "/var/lib/containers"
	if err := os.MkdirAll(storage, 0o755); err != nil {
		t.Fatal(err)
	}
	s.host = (&site{host: host}).newRuntimeHostWith(t, []string{"/run", "/dev/shm", storage})
	return s
}

// addLanes gives the host an address for each lane. Those of users are told by policy
// (ip-rule(8), uidrange); deprecated addresses are used for nothing else.
func (s *soak) addLanes(t *testing.T, host *namespace) {
	t.Helper()
	for i, l := range s.hostLanes {
		table, user := 100+i, userOf(i)
		for n, service := range []netip.Addr{soakService4, soakService6} {
			family := []string{"-4", "-6"}[n]
			host.run(t, "", "ip", family, "rule", "add", "uidrange", fmt.Sprintf("%d-%d", user, user), "table", strconv.Itoa(table))
			addAddress(t, host, l.addresses[n])
			host.run(t, "", "ip", family, "route", "add", service.String(), "dev", hostInterface, "src", l.addresses[n].String(), "table", strconv.Itoa(table))
		}
	}
	for _, address := range append(s.bridge.addresses, s.own.addresses...) {
		addAddress(t, host, address)
	}
	host.ip(t, `
		link add bridge0 type bridge
		link set bridge0 up
		addr add 198.51.100.1/24 dev bridge0
		addr add 2001:db8::1/64 dev bridge0 nodad`)
	host.sysctl(t, "ipv4/ip_forward", "1")
	host.sysctl(t, "ipv6/conf/all/forwarding", "1")
	host.run(t, fmt.Sprintf(soakTranslation, container4, s.bridge.addresses[0], container6, s.bridge.addresses[1]), "nft", "-f", "-")
}

func addAddress(t *testing.T, host *namespace, address netip.Addr) {
	t.Helper()
	if address.Is4() {
		host.ip(t, "addr add "+address.String()+"/32 dev "+hostInterface)
		return
	}
	host.ip(t, "addr add "+address.String()+"/128 dev "+hostInterface+" nodad preferred_lft 0")
}

const soakTranslation = `table inet nat {
	chain postrouting {
		type nat hook postrouting priority srcnat
		ip saddr %s oifname "` + hostInterface + `" snat ip to %s
		ip6 saddr %s oifname "` + hostInterface + `" snat ip6 to %s
	}
}
`

// endpoints are the flags that tell where the service is.
func (s *soak) endpoints() []string {
	return []string{"--endpoint", soakService4.String(), "--endpoint", "[" + soakService6.String() + "]:80"}
}

// start runs the program with its outputs in the directory, in all of which is every call.
func (s *soak) start(t *testing.T, log, state string, more ...string) *liveProgram {
	t.Helper()
	args := append(s.endpoints(), "--max-entry-rate", "0",
		"-o", log, "--state", state, "--rotate-size", "128KiB", "--rotate-keep", "1000", "--stats-interval", "10s")
	p := launch(t, s.host.namespace, exec.Command(s.binary, append(args, more...)...))
	p.awaitStart(t)
	return p
}

// launchAll starts the program and its twin, after another whose goroutines are counted at once.
func (s *soak) launchAll(t *testing.T) {
	t.Helper()
	twin := func(t *testing.T, name string) *liveProgram {
		dir := filepath.Join(s.dir, "twin")
		return s.start(t, filepath.Join(dir, name), filepath.Join(dir, "state-"+name), "--metrics-listen", "127.0.0.1:0")
	}
	s.atFirst, s.networksBefore = goroutines(t, twin(t, "first"))
	s.twin = twin(t, "log")
	s.program = s.start(t, s.log(), s.state(), "-w", filepath.Join(s.dir, "saved.pcapng"),
		"--metrics-textfile", filepath.Join(s.dir, "imds.prom"), "--metrics-interval", "1s", "--metrics-listen", "127.0.0.1:0")
}

// For a long time all kinds of clients call, containers and interfaces come and go, the program is
// halted, its logs are rotated and read: it loses no call, names no wrong caller, and does not grow.
func TestSoak(t *testing.T) {
	minutes, err := strconv.ParseFloat(soakSetting(t, soakMinutesVariable), 64)
	if err != nil {
		t.Fatal(err)
	}
	s := newSoak(t)
	s.clients = soakClients(t)
	openToAll(t, s.clients)
	s.launchAll(t)
	s.began = time.Now()
	s.kindsAtFirst = s.descriptorKinds(t, s.program.Process.Pid)
	time.AfterFunc(time.Duration(minutes*float64(time.Minute)), func() { close(s.over) })
	s.work(t)
	s.finish(t)
	s.print(time.Since(s.began))
}

// openToAll lets the lanes' users run the clients that are in directories of this test.
func openToAll(t *testing.T, clients []soakClient) {
	t.Helper()
	for _, c := range clients {
		for dir := filepath.Dir(c.command[0]); strings.HasPrefix(dir, os.TempDir()+"/"); dir = filepath.Dir(dir) {
			if err := os.Chmod(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// work has everything happen at once until the time is over.
func (s *soak) work(t *testing.T) {
	workers := map[string]func(t *testing.T){
		"hidden": s.hiddenNetworks, "bridged": s.bridgedNetworks, "containers": s.containers, "interfaces": s.interfaces,
		"stops": s.stops, "own": s.ownConnections, "harvest": s.harvest, "reports": s.reports, "scrapes": s.scrapes, "measure": s.measure,
	}
	for i := range soakLanes {
		workers[fmt.Sprint("lane-", i)] = func(t *testing.T) { s.runLane(t, i) }
	}
	var working sync.WaitGroup
	for name, worker := range workers {
		working.Go(func() { t.Run(name, worker) })
	}
	working.Wait()
}

// finish ends the program, and holds all that it has told against what was called.
func (s *soak) finish(t *testing.T) {
	s.checkFigures(t)
	s.program.stop(t, syscall.SIGTERM)
	s.read(t, append(s.takeRotated(t), s.log())...)
	for _, line := range slices.Concat(s.late, s.reckoning.off(0), s.reckoning.gaps()) {
		t.Error(line)
	}
	if len(s.access.strangers) > 0 {
		t.Errorf("calls from addresses of nobody: %v", s.access.strangers)
	}
	for _, c := range s.silent() {
		t.Errorf("%s made no calls", c)
	}
	s.checkCounts(t)
	s.checkGoroutines(t)
	if names := s.leftovers(t); len(names) > 0 {
		t.Errorf("files are left behind: %q", names)
	}
}

// silent are the clients that made no calls.
func (s *soak) silent() (names []string) {
	for _, c := range s.clients {
		if s.reckoning.byClient[c.name] == 0 {
			names = append(names, c.name)
		}
	}
	return names
}

// soakCount is how many calls one of the program's outputs has.
type soakCount struct {
	where string
	calls int
}

func (s *soak) counts(where string, calls int) {
	s.counted = append(s.counted, soakCount{where, calls})
}

// checkCounts holds the counts of everything that counts against each other.
func (s *soak) checkCounts(t *testing.T) {
	r := s.reckoning
	want := soakCalls{r.versions.v1, r.versions.v2, r.versions.unknown}
	s.checkEnd(t, want)
	summary := summarised(t, s.program.errors())
	if summary != r.versions {
		t.Errorf("the summary has %+v, and %+v were made", summary, r.versions)
	}
	s.counts("the log", r.entries)
	s.counts("the summary", summary.v1+summary.v2+summary.unknown)
	logs, state := s.report(t, s.kept...), s.report(t, s.state())
	for _, on := range []struct {
		what string
		got  soakReport
	}{
		{"logs", logs}, {"the state", state}, {"logs and state", s.report(t, append(s.kept, s.state())...)},
		{"saved packets", s.report(t, append(s.endpoints(), filepath.Join(s.dir, "saved.pcapng"))...)},
	} {
		if on.got.Calls != want {
			t.Errorf("the report on %s has %+v, and %+v were made", on.what, on.got.Calls, want)
		}
		s.counts("the report on "+on.what, on.got.Calls.sum())
	}
	if !maps.Equal(logs.programs(), state.programs()) {
		t.Errorf("by logs the programs are %v, by the state %v", logs.programs(), state.programs())
	}
	text := readFile(t, filepath.Join(s.dir, "imds.prom"))
	got := soakMetrics(t, text)
	if !maps.Equal(got, r.byStatus) {
		t.Errorf("the metrics have %v, and %v were made", got, r.byStatus)
	}
	s.counts("the metrics", got.sum())
}
