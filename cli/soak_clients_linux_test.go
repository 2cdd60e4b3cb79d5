//go:build soak

package cli_test

import (
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// soakClient is a program that calls the service, or that has others call.
type soakClient struct {
	liveClient
	// exe is the executable of the process that calls.
	exe string
	// rounds is how often it does what it does, 0 for a client that tells its pids.
	rounds int
	weight int
}

// Where scripts/soak has put the program and the clients.
const (
	soakProgramVariable = "SOAK_PROGRAM"
	soakClientsVariable = "SOAK_CLIENTS"
	soakMinutesVariable = "SOAK_MINUTES"
)

func soakSetting(t *testing.T, name string) string {
	t.Helper()
	value := os.Getenv(name)
	if value == "" {
		t.Fatalf("there is no %s: run scripts/soak", name)
	}
	return value
}

// soakClients are all kinds of clients that run on the host.
func soakClients(t *testing.T) []soakClient {
	t.Helper()
	var all []soakClient
	for _, c := range newClients(t) {
		exe := c.command[0]
		if strings.HasPrefix(c.name, "curl") || strings.HasPrefix(c.name, "wget") {
			exe, _, _ = strings.Cut(c.name, "-")
		}
		all = append(all, soakClient{liveClient: c, exe: executableOf(t, exe), weight: 2})
	}
	for _, c := range sdkClients(soakSetting(t, soakClientsVariable)) {
		c.exe, c.rounds, c.weight = executableOf(t, c.command[0]), 8, 1
		all = append(all, c)
	}
	return all
}

// sdkClients are those of scripts/soakclients.
func sdkClients(dir string) []soakClient {
	client := func(name string, command ...string) soakClient {
		return soakClient{liveClient: liveClient{name: name, command: command}}
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	return []soakClient{
		client("aws-sdk-go-v1", in("sdk-go"), "v1"),
		client("aws-sdk-go-v2", in("sdk-go"), "v2"),
		client("@smithy/credential-provider-imds", "node", in("smithy.js")),
		client("@aws-sdk/ec2-metadata-service", "node", in("metadata-service.js")),
		client("aws-sdk-js-v2", "node", in("sdk-v2.js")),
		client("python-requests", "python3", in("with_requests.py")),
		client("botocore", "python3", in("with_botocore.py")),
		client("perl-lwp", "perl", in("lwp.pl")),
		client("ruby-net-http", "ruby", in("net_http.rb")),
		client("php-streams", "php", in("streams.php")),
	}
}

// choose picks one of the clients, those with more weight more often.
func choose(clients []soakClient) soakClient {
	sum := 0
	for _, c := range clients {
		sum += c.weight
	}
	n := rand.IntN(sum)
	for _, c := range clients {
		if n -= c.weight; n < 0 {
			return c
		}
	}
	panic("there are no clients")
}

// soakRules are how the service answers, each as often as the others. A token that is
// never answered is for clients that give up soon.
func soakRules(c soakClient) rules {
	all := []rules{
		{delay: lifeTime}, {delay: lifeTime}, {delay: lifeTime},
		{delay: 250 * time.Millisecond},
		{delay: lifeTime, v1Refused: true},
		{delay: lifeTime, tokenRefused: true},
	}
	if c.rounds == 0 {
		all = append(all, rules{delay: lifeTime, tokenUnanswered: true})
	}
	return all[rand.IntN(len(all))]
}

// userOf gives each lane a user of its own, by whom the kernel chooses the lane's address.
func userOf(lane int) uint32 { return uint32(20001 + lane) }

// runLane has clients run in a lane, one after another, until the time is over.
func (s *soak) runLane(t *testing.T, number int) {
	l := s.hostLanes[number]
	for i := number; s.goesOn(soakPace); i += soakLanes {
		c := choose(s.clients)
		if i < len(s.clients) {
			c = s.clients[i] // each once, at least
		}
		r := soakRules(c)
		l.follow(r)
		e := errand{
			withPUT: rand.IntN(2) == 0, giveUpAfter: "10", name: strings.ReplaceAll(c.name, "/", "-"),
		}
		if e.service = soakService4; rand.IntN(2) == 0 {
			e.service = soakService6
		}
		if r.tokenUnanswered {
			e.giveUpAfter = "0.5"
		}
		s.runOne(t, l, userOf(number), c, e)
	}
}

// runOne runs a client until it ends, and writes down what it called.
func (s *soak) runOne(t *testing.T, l *lane, user uint32, c soakClient, e errand) {
	environment := append(e.environment(c.liveClient), "ROUNDS="+strconv.Itoa(c.rounds), "PAUSE=40", "HOME=/nonexistent", "PATH="+os.Getenv("PATH"))
	for _, variable := range environment {
		if base, ok := strings.CutPrefix(variable, "BASE="); ok {
			environment = append(environment, "AWS_EC2_METADATA_SERVICE_ENDPOINT="+base)
		}
	}
	pids := s.runAs(t, user, c, environment)
	calls := l.take(t)
	if c.rounds == 0 && len(pids) != len(calls) {
		t.Errorf("%s told of %d calls, and %d came: %v", c.name, len(pids), len(calls), calls)
		return
	}
	for i, access := range calls {
		s.reckoning.made(made{access, c.name, pids[min(i, len(pids)-1)]}, c.exe, "")
	}
}

// runAs runs the client as a user, and returns the pids that called: its own unless it
// tells others.
func (s *soak) runAs(t *testing.T, user uint32, c soakClient, environment []string) []int {
	if c.rounds == 0 {
		return runClientAs(t, s.host.namespace, c.liveClient, environment, user)
	}
	var said strings.Builder
	cmd := exec.Command(c.command[0], c.command[1:]...)
	cmd.Env, cmd.Dir, cmd.Stderr = environment, "/", &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: user, Gid: user}}
	wait, err := s.host.startBounded(cmd)
	if err != nil {
		t.Fatal(err)
	}
	if err := wait(); err != nil {
		t.Errorf("%s: %v: %.500s", c.name, err, said.String())
	}
	return []int{cmd.Process.Pid}
}
