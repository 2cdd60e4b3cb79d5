package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// self is this program, also after its file was replaced.
const self = "/proc/self/exe"

// attackTime bounds an attack, quietTime is how long honest calls are made before and
// after it.
const (
	attackTime = 45 * time.Second
	quietTime  = 2 * time.Second
)

// endTimeout is how long the end of an attack may take that is broken off.
const endTimeout = 10 * time.Second

// stage is where an attack happens.
type stage struct {
	binary    string
	directory string
	program   *program
	service   *service
	honest    *honest
	mu        sync.Mutex
	notes     map[string]uint64 // what the attack counts of itself
	faults    []string          // what the attack has found wrong by itself
}

// note counts what an attack has done, once it is done.
func (s *stage) note(what string, n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes[what] += n
}

// runInNewNetwork runs one attack in a child with network and mount namespaces of its own.
func runInNewNetwork(ctx context.Context, binary, name string, complaints io.Writer) (*verdict, error) {
	path, err := filepath.Abs(binary)
	if err != nil {
		return nil, err
	}
	directory, err := os.MkdirTemp("/tmp", "attacks-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(directory) // also where the child was killed
	if err := os.Chmod(directory, 0o711); err != nil {
		return nil, err // attackers have programs below it
	}
	cmd := exec.CommandContext(ctx, self, roleInside, path, name)
	cmd.Env = append(os.Environ(), "TMPDIR="+directory)
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) } // it cleans up
	cmd.WaitDelay = endTimeout
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET | syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	cmd.Stderr = complaints
	out, err := cmd.Output()
	if err != nil {
		return nil, err
	}
	v := &verdict{}
	return v, json.Unmarshal(out, v)
}

// inside runs an attack, and writes the verdict as JSON.
func inside(ctx context.Context, binary, name string, out io.Writer) error {
	a, err := named(name)
	if err != nil {
		return err
	}
	directory, err := os.MkdirTemp("", "stage-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(directory)
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("keep mounts to this namespace: %w", err)
	}
	if err := layNetwork(); err != nil {
		return err
	}
	s := &stage{binary: binary, directory: directory, notes: make(map[string]uint64)}
	v, err := s.play(ctx, a)
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(v)
}

// play runs the program, honest clients all through, and the attack.
func (s *stage) play(ctx context.Context, a attack) (v *verdict, err error) {
	if s.service, err = startService(ctx); err != nil {
		return nil, err
	}
	defer s.service.close()
	if s.program, err = startProgram(ctx, s.binary, s.directory, a); err != nil {
		return nil, err
	}
	defer s.program.kill()
	if s.honest, err = startHonest(ctx); err != nil {
		return nil, err
	}
	time.Sleep(quietTime)
	limited, cancel := context.WithTimeout(ctx, max(a.lasts, a.bound, attackTime))
	defer cancel()
	began := time.Now()
	failed := a.do(limited, s)
	if limited.Err() != nil && ctx.Err() == nil {
		failed = nil // its time is over: how far it came is for the verdict
	}
	took := time.Since(began)
	time.Sleep(quietTime)
	s.honest.stop()
	log, stopped := s.program.stop()
	served, closed := s.service.stop()
	if err := errors.Join(failed, stopped, closed); err != nil {
		return nil, err
	}
	v = judge(log, served, s.honest.clients)
	v.Due, v.LeastHonest = s.honest.due(), cmp.Or(a.leastHonest, leastHonest)
	s.note(answered, served.Others)
	s.note(accepted, served.Accepted)
	s.note("lines of the log", uint64(len(log)))
	v.MayLose, v.AtLeast = a.mayLose, a.atLeast
	v.Seconds, v.Notes = took.Seconds(), s.notes
	v.PeakRSS, v.CPU, v.Stderr = s.program.peak, s.program.cpu.Seconds(), s.program.said()
	v.Other = s.faults
	if a.check != nil {
		v.Other = append(v.Other, a.check(v, log)...)
	}
	return v, nil
}

// layNetwork gives the service and the clients their addresses.
func layNetwork() error {
	lo, err := netlink.LinkByName("lo")
	if err != nil {
		return err
	}
	for _, address := range []string{service4 + "/32", service6 + "/128", honestAddr + "/32", probeAddr + "/32"} {
		parsed, err := netlink.ParseAddr(address)
		if err != nil {
			return err
		}
		parsed.Flags = syscall.IFA_F_NODAD
		if err := netlink.AddrAdd(lo, parsed); err != nil {
			return fmt.Errorf("give %s to lo: %w", address, err)
		}
	}
	if err := netlink.LinkSetUp(lo); err != nil {
		return err
	}
	for _, local := range []string{localRange, local6Range} {
		_, to, err := net.ParseCIDR(local)
		if err != nil {
			return err
		}
		const localTable = 255 // RT_TABLE_LOCAL, rtnetlink(7)
		route := &netlink.Route{LinkIndex: lo.Attrs().Index, Dst: to, Table: localTable, Type: syscall.RTN_LOCAL, Scope: netlink.SCOPE_HOST}
		if err := netlink.RouteAdd(route); err != nil {
			return fmt.Errorf("make %s local: %w", local, err)
		}
	}
	return errors.Join(
		set("/proc/sys/net/core/somaxconn", "65535"),
		set("/proc/sys/net/ipv4/tcp_max_syn_backlog", "65535"),
		set("/proc/sys/net/ipv4/ip_local_port_range", "1024 65535"),
		set("/proc/sys/net/ipv6/conf/all/forwarding", "1"),
	)
}

func set(file, value string) error { return os.WriteFile(file, []byte(value), 0) }
