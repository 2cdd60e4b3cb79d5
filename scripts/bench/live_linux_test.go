package main

import (
	"bytes"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// buildClient builds the clients' program, with the compiler that cgo uses.
func buildClient(t *testing.T) string {
	t.Helper()
	compiler := os.Getenv("CC")
	if compiler == "" {
		compiler = "gcc"
	}
	path := filepath.Join(t.TempDir(), "client")
	if out, err := exec.Command(compiler, "-O2", "-o", path, "client.c").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return path
}

// recorder is a stand-in service that notes what it was asked for.
type recorder struct {
	mu      sync.Mutex
	targets []string
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, request *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.targets = append(r.targets, request.Method+" "+request.RequestURI)
	response := respond(request)
	head, body, _ := bytes.Cut(response, []byte("\r\n\r\n"))
	w.Header().Set("Content-Length", string(head[bytes.LastIndexByte(head, ' ')+1:]))
	_, _ = w.Write(body)
}

// calls are the calls that were noted, with the pids that each tells.
func (r *recorder) calls(t *testing.T) map[callID]pids {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := make(map[callID]pids)
	for _, target := range r.targets {
		method, path, _ := strings.Cut(target, " ")
		id, by, ok := parseTarget(path)
		if _, twice := calls[id]; !ok || twice || (method == "PUT") != strings.HasPrefix(path, tokenTarget) {
			t.Errorf("a client asked for %s", target)
		}
		calls[id] = by
	}
	return calls
}

// newTestSite is a site whose services note. It is there until the test ends.
func newTestSite(t *testing.T, topology string, args ...string) (*site, *recorder) {
	t.Helper()
	p, err := parsePlan(append([]string{"-binary", "/none", "-client", buildClient(t)}, args...), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	b, err := newBench(p, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { check(t, b.close()) })
	s, err := b.newSite(newTopology(topology))
	if err != nil {
		t.Fatalf("live tests need root: %v", err)
	}
	t.Cleanup(func() { check(t, s.close()) })
	r := &recorder{}
	for i, name := range s.network.services {
		check(t, s.services[i].Close())
		check(t, s.network.in(name, func() error { return r.serve(t) }))
	}
	return s, r
}

func (r *recorder) serve(t *testing.T) error {
	server := &http.Server{Handler: r}
	t.Cleanup(func() { _ = server.Close() })
	listener, err := net.Listen("tcp4", serviceAddress+":80")
	if err == nil {
		go func() { _ = server.Serve(listener) }()
	}
	return err
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

// What clients do is what is recorded as the truth.
func TestLiveTruth(t *testing.T) {
	for _, name := range topologyNames {
		t.Run(name, func(t *testing.T) {
			s, service := newTestSite(t, name, "-calls", "9", "-container-calls", "9", "-at-once", "1,8", "-load", "0")
			made, err := s.makeCalls(s.cells(name, 0))
			if err != nil {
				t.Fatal(err)
			}
			checkTruth(t, made, service.calls(t))
			checkPlaces(t, s, made)
		})
	}
}

func checkTruth(t *testing.T, made made, calls map[callID]pids) {
	t.Helper()
	if len(calls) != made.total() {
		t.Errorf("the service was called %d times, not %d", len(calls), made.total())
	}
	uids := make(map[int]bool)
	for _, c := range made.clients {
		uids[c.uid] = true
		checkCalls(t, made.cells[c.id.cell].Kind, c, calls, made.each[c.id.cell])
	}
	if len(uids) != 4 {
		t.Errorf("the clients ran as the users %v", uids)
	}
}

func checkCalls(t *testing.T, kind string, c client, calls map[callID]pids, each int) {
	t.Helper()
	for n := range each {
		by, called := calls[callID{c.id, n}]
		isClient := by == c.pids
		switch {
		case !called:
			t.Errorf("%s %v did not make its call %d", kind, c.id, n)
		case kind == "curl" && by != (pids{}), kind == "fork" && (isClient || by.host == 0 || by.inside == 0), kind != "curl" && kind != "fork" && !isClient:
			t.Errorf("%s %v has the pids %v, and made call %d as %v", kind, c.id, c.pids, n, by)
		}
	}
}

// checkPlaces: clients ran in all containers, and nowhere else.
func checkPlaces(t *testing.T, s *site, made made) {
	t.Helper()
	clients := make(map[string]int)
	for _, c := range made.clients {
		clients[c.container]++
		if c.container == "" && c.host != c.inside {
			t.Errorf("%v has the pids %v, on the host", c.id, c.pids)
		}
	}
	for _, place := range s.places {
		if clients[place.container.id] == 0 {
			t.Errorf("no client ran in the container %q", place.container.id)
		}
	}
	if len(clients) != len(s.places) {
		t.Errorf("clients ran in %v", clients)
	}
}

// Clients run as the user and with the command line that are recorded.
func TestLiveIdentity(t *testing.T) {
	b, _ := newTestSite(t, direct)
	out := filepath.Join(b.dir, "who")
	if err := os.WriteFile(out, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(out, 0o666); err != nil {
		t.Fatal(err)
	}
	command := []string{"sh", "-c", `echo "$0 $$ $(id -u) $(id -g) $(id -G)" >>` + out, "x@y"}
	said, err := b.host.run(launch{atOnce: 2, count: 3, users: "0,65534", command: command, within: clientsWithin})
	if err != nil {
		t.Fatal(err)
	}
	clients, err := readLaunched(bytes.NewReader(said), client{args: command})
	if err != nil || len(clients) != 3 {
		t.Fatalf("%d clients, %v", len(clients), err)
	}
	content, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	who := strings.Fields(strings.ReplaceAll(string(content), "\n", " ; "))
	if len(clients[2].args) != 4 || clients[2].args[3] != "x2y" || !slices.Contains(who, "x2y") {
		t.Errorf("the clients are %+v, and said %q", clients, content)
	}
	if !strings.Contains(string(content), " 65534 65534 65534\n") {
		t.Errorf("none has put off what root may: %q", content)
	}
}

func TestLiveLauncherFails(t *testing.T) {
	b, _ := newTestSite(t, direct)
	for name, test := range map[string]launch{
		"a client fails":     {atOnce: 1, count: 2, command: []string{"false"}},
		"there is no client": {atOnce: 1, count: 2, command: []string{"/none"}},
		"a client is late":   {atOnce: 1, count: 1, command: []string{"sleep", "60"}, within: 10 * time.Millisecond},
	} {
		test.users = "0"
		test.within = max(test.within, 10*time.Millisecond)
		if test.command[0] != "sleep" {
			test.within = clientsWithin
		}
		said, err := b.host.run(test)
		if err == nil {
			_, err = readLaunched(bytes.NewReader(said), client{args: test.command})
		}
		if err == nil {
			t.Errorf("%s, and nobody says so", name)
		}
	}
}

// The additional processes are there until they are told to end.
func TestLiveSleepers(t *testing.T) {
	b, _ := newTestSite(t, direct)
	end, err := b.host.sleepers(5, files)
	if err != nil {
		t.Fatal(err)
	}
	running := func() int { return len(processesOf(t, b.path)) }
	if n := running(); n != 6 { // with their parent
		t.Errorf("%d processes, not 6", n)
	}
	for _, dir := range processesOf(t, b.path)[1:] {
		if held, err := os.ReadDir(dir + "/fd"); err != nil || len(held) < files {
			t.Errorf("%s holds %d files, %v", dir, len(held), err)
		}
	}
	if err := end(); err != nil {
		t.Error(err)
	}
	if n := running(); n != 0 {
		t.Errorf("%d are left", n)
	}
}

// processesOf are the directories in /proc of those that run an executable.
func processesOf(t *testing.T, executable string) (dirs []string) {
	t.Helper()
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && target == executable {
			dirs = append(dirs, filepath.Dir(link))
		}
	}
	return dirs
}
