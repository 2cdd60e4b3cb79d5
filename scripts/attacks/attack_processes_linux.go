package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// attackerUser is whom attackers run as: neither root nor the honest clients' user.
const attackerUser = 4242

// processAttacks are those by whoever can run programs.
func processAttacks() []attack {
	return []attack{
		{name: "log-flood", about: "40,000 calls of one program for one path, and 100 requests that take long", do: floodLog("same", 40_000), check: allCounted,
			atLeast: map[string]uint64{answered: 40_000}},
		{name: "log-flood-paths", about: "40,000 calls of one program, each for another path", do: floodLog("paths", 40_000), check: allCounted,
			atLeast: map[string]uint64{answered: 40_000}},
		{name: "process-storm", about: "50,000 processes that start and end, as fast as they go", bound: stormTime + quietTime, do: storm(50_000),
			atLeast: map[string]uint64{"processes": 50_000}, leastHonest: 0.4},
		{name: "long-arguments", about: "300 callers with 2 MiB of arguments", do: callersWith(300, longArguments), check: allTold,
			atLeast: map[string]uint64{answered: 100}},
		{name: "hostile-names", about: "100 callers with control characters in all that they can name, and every way to look at them", do: lookedAt(callersWith(100, hostileNames)), check: allTold,
			atLeast: map[string]uint64{answered: uint64(hostileCalls * len(hostiles())), "outlets": uint64(len(outlets()))}},
	}
}

// allTold: the log has each call of the attacker, as long as the kernel has room for the
// packets.
func allTold(v *verdict, _ []entry) []string {
	if v.Counts.DroppedKernel == 0 && v.OthersReported != v.Others {
		return []string{fmt.Sprintf("%d calls of the attacker answered, %d reported", v.Others, v.OthersReported)}
	}
	return nil
}

// maxFloodLog is the most that a flood may have the log grow by: 2,000 entries.
const maxFloodLog = 2000

// allCounted: each call of the attacker is told, in not too many lines.
func allCounted(v *verdict, log []entry) (faults []string) {
	if v.OthersReported != v.Others {
		faults = append(faults, fmt.Sprintf("%d calls of the attacker answered, %d reported", v.Others, v.OthersReported))
	}
	if len(log) > maxFloodLog {
		faults = append(faults, fmt.Sprintf("the log has %d lines", len(log)))
	}
	return faults
}

// asAttacker is this program in another role, as the attackers' user.
func asAttacker(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, self, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: attackerUser, Gid: attackerUser}, Pdeathsig: syscall.SIGKILL,
	}
	cmd.Stderr = os.Stderr
	return cmd
}

func floodLog(kind string, n int) func(context.Context, *stage) error {
	return func(ctx context.Context, _ *stage) error {
		return asAttacker(ctx, roleFlood, kind, strconv.Itoa(n)).Run()
	}
}

// flood is a program that calls again and again, on one connection. Those for one path it
// makes while requests that it began before are not whole yet.
func flood(kind, number string) error {
	if kind == "hostile" {
		return callHostile(number)
	}
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	var late slowRequests
	if kind == "same" && n > 1 {
		if late, err = beginSlowly(); err != nil {
			return err
		}
		defer late.close()
	}
	conn, err := dial(&net.TCPAddr{IP: net.ParseIP("10.2.0.1")})
	if err != nil {
		return err
	}
	defer conn.Close()
	answers := bufio.NewReader(conn)
	return pace(context.Background(), n, floodPace, func(i int) error {
		path := "/flood"
		if kind == "paths" {
			path = fmt.Sprintf("/flood/%d", i)
		}
		if _, err := exchange(conn, answers, "GET "+path+" HTTP/1.1\r\nHost: "+service4+"\r\n\r\n"); err != nil {
			return err
		}
		if i%slowEvery == slowEvery-1 {
			return late.end(i / slowEvery)
		}
		return nil
	})
}

// floodPace is how many calls a second a flood has: with a packet for the request and one
// for the answer, eight times what EC2 lets through.
const floodPace = 4000

// slowRequests have begun before a flood, slowFirst ago, and end one by one in it: what
// takes the time of their first bytes for the time that it is goes back and forth.
type slowRequests []net.Conn

const (
	maxSlow   = 100
	slowEvery = 200 // calls
	slowFirst = 5 * time.Second
)

func beginSlowly() (late slowRequests, err error) {
	for range maxSlow {
		conn, err := dial(&net.TCPAddr{IP: net.ParseIP("10.2.0.1")})
		if err != nil {
			late.close()
			return nil, err
		}
		late = append(late, conn)
		if _, err := io.WriteString(conn, "GET /flood HTTP/1.1\r\nHos"); err != nil {
			late.close()
			return nil, err
		}
	}
	time.Sleep(slowFirst)
	return late, nil
}

// end sends the rest of one of the requests, if there is one of that number.
func (s slowRequests) end(i int) error {
	if i >= len(s) {
		return nil
	}
	_, err := exchange(s[i], bufio.NewReader(s[i]), "t: "+service4+"\r\n\r\n")
	return err
}

func (s slowRequests) close() {
	for _, conn := range s {
		conn.Close()
	}
}

// callersWith starts callers one after the other, as they are made.
func callersWith(n int, change func(cmd *exec.Cmd, directory string, i int) error) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		directory, err := os.MkdirTemp("", "attacker-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(directory)
		if err := os.Chmod(directory, 0o755); err != nil {
			return err
		}
		return pace(ctx, n, 0, func(i int) error {
			cmd := asAttacker(ctx, roleFlood, "same", "1")
			if err := change(cmd, directory, i); err != nil {
				return err
			}
			if err := cmd.Run(); err != nil {
				return fmt.Errorf("caller %d: %w", i, err)
			}
			s.note("callers", 1)
			return nil
		})
	}
}

// longArguments are 2 MiB in all, each as long as Linux lets one be (MAX_ARG_STRLEN,
// execve(2)).
func longArguments(cmd *exec.Cmd, _ string, _ int) error {
	for range 14 { // with the stack's limit of 8 MiB, a quarter of it: 2 MiB
		cmd.Args = append(cmd.Args, strings.Repeat("x", 128<<10-1))
	}
	return nil
}
