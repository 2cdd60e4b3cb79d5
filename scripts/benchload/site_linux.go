package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"imds-analyzer/scripts/testbed"
)

// self is this program, also after its file was replaced.
const self = "/proc/self/exe"

// site is a host that is watched, with a cable to the service, and another to a peer
// that has nothing to do with it.
type site struct {
	host, far *testbed.Namespace
	dir       string
	service   *exec.Cmd
	end       io.Closer     // of the service's standard input
	called    chan struct{} // closed when the service has taken the first call
}

// The addresses of the second cable are those for documentation (RFC 5737).
const (
	peerAddress = "198.51.100.2"
	hostSetup   = `link set lo up
link set cable0 up
addr add 192.0.2.1/30 dev cable0
route add 169.254.169.254 dev cable0
link set other0 up
addr add 198.51.100.1/30 dev other0
`
	farSetup = `link set lo up
link set cable1 up
addr add 192.0.2.2/30 dev cable1
addr add 169.254.169.254/32 dev cable1
link set other1 up
addr add 198.51.100.2/30 dev other1
`
)

// openSite makes the networks, and starts the service.
func openSite() (_ *site, err error) {
	s := &site{}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "bench-load-"); err != nil {
		return nil, err
	}
	if s.host, err = testbed.NewNamespace(); err != nil {
		return nil, err
	}
	if s.far, err = testbed.NewNamespace(); err != nil {
		return nil, err
	}
	err = errors.Join(
		ip(s.host, "link add cable0 type veth peer name cable1 netns "+s.far.Path+"\nlink add other0 type veth peer name other1 netns "+s.far.Path+"\n"),
		ip(s.far, farSetup), ip(s.host, hostSetup),
		// A host that calls thousands of times a second uses its ports again soon (ip_sysctl).
		set(s.host, "net/ipv4/ip_local_port_range", "1024 65535"),
		set(s.host, "net/ipv4/tcp_tw_reuse", "1"),
		set(s.far, "net/core/somaxconn", "65535"),
		set(s.far, "net/ipv4/tcp_max_syn_backlog", "65535"),
	)
	if err != nil {
		return nil, err
	}
	return s, s.startService()
}

func ip(n *testbed.Namespace, commands string) error {
	cmd := exec.Command("ip", "-batch", "-")
	cmd.Stdin = strings.NewReader(commands)
	var out []byte
	err := n.Do(func() (err error) {
		out, err = cmd.CombinedOutput()
		return err
	})
	if err != nil {
		return fmt.Errorf("ip: %w: %s", err, out)
	}
	return nil
}

func set(n *testbed.Namespace, name, value string) error {
	return n.Do(func() error { return os.WriteFile("/proc/sys/"+name, []byte(value), 0) })
}

func (s *site) accessLog() string { return filepath.Join(s.dir, "access") }

func (s *site) startService() error {
	s.service = exec.Command(self, roleService, s.accessLog())
	s.service.Stderr = os.Stderr
	in, out, err := awaitReady(s.far, s.service)
	if err != nil {
		return err
	}
	s.end, s.called = in, make(chan struct{})
	go func() {
		if _, err := out.ReadString('\n'); err == nil {
			close(s.called)
		}
	}()
	return nil
}

// awaitCall waits until a call was made.
func (s *site) awaitCall(ctx context.Context) error {
	select {
	case <-s.called:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(startWithin):
		return errors.New("no call was made in time")
	}
}

// awaitReady starts a child of this program, and returns its standard input and output
// once it has said that it is ready.
func awaitReady(n *testbed.Namespace, cmd *exec.Cmd) (io.WriteCloser, *bufio.Reader, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, err
	}
	if err := n.Start(cmd); err != nil {
		return nil, nil, err
	}
	lines := bufio.NewReader(out)
	if _, err := lines.ReadString('\n'); err != nil {
		return nil, nil, fmt.Errorf("%s did not start: %w", cmd.Args[1], err)
	}
	return in, lines, nil
}

// calls ends the service, and returns what it has answered.
func (s *site) calls(k kind) (map[string]access, error) {
	_ = s.end.Close()
	err := s.service.Wait()
	s.service = nil
	if err != nil {
		return nil, fmt.Errorf("the service: %w", err)
	}
	log, err := os.Open(s.accessLog())
	if err != nil {
		return nil, err
	}
	defer log.Close()
	return readAccess(log, k.calls == 2)
}

func (s *site) close() {
	if s.service != nil && s.service.Process != nil {
		_ = s.service.Process.Kill()
		_ = s.service.Wait()
	}
	for _, n := range []*testbed.Namespace{s.host, s.far} {
		if n != nil {
			n.Close()
		}
	}
	_ = os.RemoveAll(s.dir)
}

// leastRate is how many calls a second also a busy machine makes.
const leastRate = 500

// clientsWithin is how long so many calls may take, of clients that are slower than they
// were asked to be.
func clientsWithin(rate, calls int) time.Duration {
	return time.Minute + time.Duration(calls)*time.Second/time.Duration(min(rate, leastRate))
}

// call has clients of the kind make calls, and returns when the last has ended.
func (s *site) call(ctx context.Context, client string, k kind, rate, calls int) error {
	ctx, cancel := context.WithTimeout(ctx, clientsWithin(rate, calls))
	defer cancel()
	if k.command != "" {
		return s.callOnce(ctx, client, k, rate, calls)
	}
	return s.callOn(ctx, k, rate, calls)
}

// atOnce is how many processes that make one turn may run at once.
const atOnce = 64

// callOnce has a process of its own make each turn.
func (s *site) callOnce(ctx context.Context, client string, k kind, rate, calls int) error {
	interval := strconv.FormatInt(k.interval(rate, 1).Microseconds(), 10)
	cmd := exec.CommandContext(ctx, client, "spawn", "/proc", strconv.Itoa(atOnce), "0", strconv.Itoa(k.turns(calls)), interval, "0",
		client, k.command, metadataPath+"0/@", "/proc")
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	if err := s.host.Start(cmd); err != nil {
		return err
	}
	err := errors.Join(cmd.Wait(), ctx.Err())
	if err == nil && complaints.Len() > 0 {
		err = errors.New("they complain")
	}
	if err != nil {
		return fmt.Errorf("the clients: %w: %s", err, &complaints)
	}
	return nil
}

// callOn has long-lived processes make the turns, all from the same moment on.
func (s *site) callOn(ctx context.Context, k kind, rate, calls int) error {
	const share = processes * threads
	turns := max(1, k.turns(calls)/share)
	interval := strconv.FormatInt(int64(k.interval(rate, share)), 10)
	var all []*exec.Cmd
	var begin []io.Closer
	for i := range processes {
		cmd := exec.CommandContext(ctx, self, roleClients, k.name, strconv.Itoa(i), strconv.Itoa(turns), interval)
		cmd.Stderr = os.Stderr
		in, err := cmd.StdinPipe()
		if err != nil {
			return err
		}
		if err := s.host.Start(cmd); err != nil {
			return err
		}
		all, begin = append(all, cmd), append(begin, in)
	}
	for _, in := range begin {
		_ = in.Close()
	}
	var err error
	for _, cmd := range all {
		err = errors.Join(err, cmd.Wait())
	}
	return errors.Join(err, ctx.Err())
}
