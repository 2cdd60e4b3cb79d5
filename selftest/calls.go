//go:build linux

package selftest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"strings"
	"sync"
	"time"
)

// self is this program, also after its file was replaced.
const self = "/proc/self/exe"

// ChildCommand is the name of the hidden command that the children are
// started with: its arguments are a role and what that takes.
const ChildCommand = "selftest-child"

// The roles of children.
const (
	RoleInside  = "inside"  // runs Inside
	RoleService = "service" // runs Service
	RoleClient  = "client"  // runs Client: kind, address, target
)

// Outside starts the test in a child with a network namespace of its own, and
// returns the child's exit status.
func Outside(ctx context.Context, out, errs io.Writer) (status int, err error) {
	cmd := exec.CommandContext(ctx, self, ChildCommand, RoleInside)
	cmd.Stdout, cmd.Stderr = out, errs
	inNewNetwork(cmd)
	err = cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	if errors.Is(err, os.ErrPermission) {
		return 0, fmt.Errorf("%w: %s", ErrNoNetwork, whatNetworksTake(os.Geteuid()))
	}
	return 0, err
}

// whatNetworksTake is what the user lacks to make networks: root is no advice for root.
func whatNetworksTake(uid int) string {
	if uid == 0 {
		return "root lacks CAP_SYS_ADMIN here, as in a container: run it on the host, or with that and CAP_NET_ADMIN"
	}
	return "it takes root: sudo imds-analyzer selftest"
}

// service is the stand-in service in its process.
type service struct {
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	output *bufio.Reader
	once   sync.Once
	log    []served
}

// startService starts the stand-in service in a network namespace of its own
// and connects that with ours.
func startService(ctx context.Context) (*service, error) {
	cmd := exec.CommandContext(ctx, self, ChildCommand, RoleService)
	cmd.Stderr = os.Stderr
	inNewNetwork(cmd)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	s := &service{cmd: cmd, stdin: stdin, output: bufio.NewReader(stdout)}
	if err := s.connect(); err != nil {
		s.stop()
		return nil, err
	}
	return s, nil
}

func (s *service) connect() error {
	if err := setUpClientSide(s.cmd.Process.Pid); err != nil {
		return err
	}
	if _, err := fmt.Fprintln(s.stdin, "start"); err != nil {
		return err
	}
	if line, err := s.output.ReadString('\n'); err != nil || strings.TrimSpace(line) != "ready" {
		return errors.New("the stand-in service did not start")
	}
	return nil
}

// stop ends the service and returns its access log.
func (s *service) stop() []served {
	s.once.Do(func() {
		_ = s.stdin.Close()
		for decoder := json.NewDecoder(s.output); ; {
			var line served
			if decoder.Decode(&line) != nil {
				break
			}
			s.log = append(s.log, line)
		}
		_ = s.cmd.Wait()
	})
	return s.log
}

// expectation is a call that a child made.
type expectation struct {
	check  string
	method string
	target string
	v2     bool
	pid    int
	// known is true for a process that lives long enough for every method of
	// attribution: not to know it is a failure then.
	known bool
}

// calls are the children's calls in one run of the program.
type calls struct {
	run      string // "" for the first
	expected []expectation
}

const (
	// rounds is how often each kind of short-lived client is started,
	// together so many at a time.
	rounds   = 12
	together = 4
	// stayTime is how long a long-lived client lives on after its call.
	stayTime = 250 * time.Millisecond
)

// makeCalls runs the children and returns what they called.
func makeCalls(ctx context.Context, run string) (*calls, error) {
	c := &calls{run: run}
	if err := c.make(ctx, "IPv4", imdsEndpoint); err != nil || !hasIPv6() {
		return c, err
	}
	return c, c.make(ctx, "IPv6", imdsEndpoint6)
}

func (c *calls) make(ctx context.Context, family, endpoint string) error {
	for _, kind := range []string{getAndExit, getUnread, tokenAndGet, tokenThenGet} {
		if err := c.shortLived(ctx, family, kind, endpoint); err != nil {
			return err
		}
	}
	return c.longLived(ctx, family, endpoint)
}

// shortLived starts clients that end with their last call, some at a time.
func (c *calls) shortLived(ctx context.Context, family, kind, endpoint string) error {
	check := family + ", short-lived: " + kind
	for first := 0; first < rounds; first += together {
		var started []*exec.Cmd
		for i := first; i < first+together; i++ {
			cmd, err := c.start(ctx, check, kind, endpoint, i)
			if err != nil {
				return err
			}
			started = append(started, cmd)
		}
		for _, cmd := range started {
			if err := cmd.Wait(); err != nil {
				return fmt.Errorf("a client failed (%s): %w", check, err)
			}
		}
	}
	return nil
}

// longLived starts a client that lives on.
func (c *calls) longLived(ctx context.Context, family, endpoint string) error {
	check := family + ", long-lived"
	target := c.target(check, 0)
	cmd := client(ctx, stay, endpoint, target)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.expect(expectation{check: check, method: "GET", target: target, pid: cmd.Process.Pid, known: true})
	time.AfterFunc(stayTime, func() { _ = stdin.Close() })
	return cmd.Wait()
}

func (c *calls) start(ctx context.Context, check, kind, endpoint string, i int) (*exec.Cmd, error) {
	target := c.target(check, i)
	cmd := client(ctx, kind, endpoint, target)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	withToken := kind == tokenAndGet || kind == tokenThenGet
	if withToken {
		c.expect(expectation{check: check, method: "PUT", target: tokenTarget(target), v2: true, pid: cmd.Process.Pid})
	}
	c.expect(expectation{check: check, method: "GET", target: target, v2: withToken, pid: cmd.Process.Pid})
	return cmd, nil
}

func (c *calls) expect(e expectation) { c.expected = append(c.expected, e) }

func client(ctx context.Context, kind, endpoint, target string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, self, ChildCommand, RoleClient, kind, endpoint, target)
	cmd.Stderr = os.Stderr
	return cmd
}

// target is a path by which a call can be told from all others.
func (c *calls) target(check string, i int) string {
	words := strings.NewReplacer(" ", "-", ",", "", ":", "", "+", "-").Replace(check)
	return fmt.Sprintf("/latest/meta-data/selftest/%s/%d", path.Join(c.run, words), i)
}
