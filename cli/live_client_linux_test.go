package cli_test

import (
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// liveClient is a program that calls the metadata service: it makes two calls that
// get something, before them one for a token if the flow is v2, and without a
// token goes on without. For each call it first writes the pid of the process
// that makes it to file descriptor 3.
type liveClient struct {
	name      string
	command   []string
	keepAlive bool // one connection for what follows the token
}

// newClients returns all kinds of clients.
func newClients(t *testing.T) []liveClient {
	t.Helper()
	sh := func(script string) []string { return []string{tool(t, "sh"), "-c", shellClient + script + shellFlow} }
	bash := []string{tool(t, "bash"), "-c", bashClient}
	python := func(script string) []string { return []string{pythonPath(t), "-c", script} }
	node := []string{tool(t, "node"), "-e", nodeClient}
	golang := []string{buildGoClient(t)}
	for _, name := range []string{"curl", "wget", "timeout"} {
		tool(t, name)
	}
	return []liveClient{
		{"curl", sh(curlClient), false},
		{"curl-keep-alive", sh(curlClient), true},
		{"wget", sh(wgetClient), false},
		{"wget-keep-alive", sh(wgetClient), true},
		{"bash", bash, false},
		{"python-urllib", python(urllibClient), false},
		{"python-http.client", python(httpClient), true},
		{"node", node, false},
		{"node-keep-alive", node, true},
		{"go", golang, false},
		{"go-keep-alive", golang, true},
	}
}

// pythonPath is Python itself, not a script that looks for it first.
func pythonPath(t *testing.T) string {
	t.Helper()
	out, err := exec.Command(tool(t, "python3"), "-c", "import sys; print(sys.executable)").Output()
	if err != nil {
		t.Fatalf("python3: %v", err)
	}
	return strings.TrimSpace(string(out))
}

// buildGoClient compiles the client that is written in Go.
func buildGoClient(t *testing.T) string {
	t.Helper()
	source := filepath.Join(t.TempDir(), "client.go")
	if err := os.WriteFile(source, []byte(goClient), 0o600); err != nil {
		t.Fatal(err)
	}
	binary := strings.TrimSuffix(source, ".go")
	build := exec.Command(tool(t, "go"), "build", "-o", binary, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return binary
}

// errand is what a client is sent for.
type errand struct {
	service netip.Addr
	withPUT bool
	name    string // tells its targets from all others
	// giveUpAfter is the number of seconds after which the client gives up
	// waiting for a token.
	giveUpAfter string
}

// environment is how a client is told.
func (e *errand) environment(c liveClient) []string {
	flow, keepAlive := "v1", ""
	if e.withPUT {
		flow = "v2"
	}
	if c.keepAlive {
		keepAlive = "yes"
	}
	return append(plainEnvironment(),
		"HOST="+e.service.String(),
		"BASE=http://"+strings.TrimSuffix(netip.AddrPortFrom(e.service, 80).String(), ":80"),
		"A=/latest/meta-data/"+e.name,
		"B="+credentialPaths+e.name,
		"FLOW="+flow,
		"PATIENCE="+e.giveUpAfter,
		"KEEP_ALIVE="+keepAlive)
}

// plainEnvironment is this process's environment without proxies.
func plainEnvironment() []string {
	var plain []string
	for _, variable := range os.Environ() {
		if name, _, _ := strings.Cut(variable, "="); !strings.HasSuffix(strings.ToLower(name), "_proxy") {
			plain = append(plain, variable)
		}
	}
	return plain
}

// send runs the client in the namespace until it ends, and returns the calls
// that it has made.
func (s *site) send(t *testing.T, n *namespace, c liveClient, e errand) []made {
	t.Helper()
	before := len(s.service.log.soFar())
	pids := runClient(t, n, c, e.environment(c))
	if want := map[bool]int{false: 2, true: 3}[e.withPUT]; len(pids) != want {
		t.Fatalf("%s made %d calls, not %d", e.name, len(pids), want)
	}
	var calls []made
	for i, access := range s.service.calls(t, before, len(pids)) {
		calls = append(calls, made{access, e.name, pids[i]})
	}
	return calls
}

// runClient runs the client until it ends, and returns the pids it has told.
func runClient(t *testing.T, n *namespace, c liveClient, environment []string) []int {
	t.Helper()
	return runClientAs(t, n, c, environment, 0)
}

// runClientAs is runClient as a user.
func runClientAs(t *testing.T, n *namespace, c liveClient, environment []string, user uint32) []int {
	t.Helper()
	told, tell, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer told.Close()
	var errs strings.Builder
	cmd := exec.Command(c.command[0], c.command[1:]...)
	cmd.Env, cmd.ExtraFiles, cmd.Stderr = environment, []*os.File{tell}, &errs
	if user != 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	}
	wait, err := n.startBounded(cmd)
	tell.Close()
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(told)
	if err := wait(); err != nil {
		t.Fatalf("%s: %v\n%s", c.name, err, errs.String())
	}
	var pids []int
	for _, field := range strings.Fields(string(text)) {
		pid, err := strconv.Atoi(field)
		if err != nil {
			t.Fatal(fmt.Errorf("%s: %w", c.name, err))
		}
		pids = append(pids, pid)
	}
	return pids
}
