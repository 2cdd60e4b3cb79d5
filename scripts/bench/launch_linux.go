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
	"slices"
	"strconv"
	"time"

	"imds-analyzer/scripts/testbed"
)

// launcher starts clients, by the program that is built from client.c.
type launcher struct {
	*testbed.Namespace
	path string
	proc string // the host's /proc, as clients see it
	container
	procs string // the file of the processes of the container's cgroup
}

// install copies the launcher to where all users can run it.
func install(program, path string) error {
	content, err := os.ReadFile(program)
	if err != nil {
		return fmt.Errorf("the clients' program: %w", err)
	}
	if err := os.WriteFile(path, content, 0o755); err != nil {
		return err
	}
	return os.Chmod(path, 0o755) // whatever the umask
}

// hostLauncher starts clients that are in no container.
func hostLauncher(n *testbed.Namespace, path string) *launcher {
	return &launcher{Namespace: n, path: path, proc: "/proc"}
}

// run starts the clients, waits for the end of them all, and returns what the
// launcher said.
func (l *launcher) run(o launch) ([]byte, error) {
	if o.count == 0 {
		return nil, nil
	}
	args := []string{"spawn", l.proc, strconv.Itoa(o.atOnce), strconv.Itoa(o.first), strconv.Itoa(o.count), strconv.FormatInt(o.interval.Microseconds(), 10), o.users}
	var out, complaints bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), o.within)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.path, append(args, o.command...)...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	// Clients of a launcher that was killed hold its standard error open.
	cmd.WaitDelay = time.Second
	if err := l.startHere(cmd); err != nil {
		return nil, err
	}
	if err := cmd.Wait(); err != nil {
		return nil, errors.Join(fmt.Errorf("the launcher: %w\n%s", err, complaints.Bytes()), ctx.Err())
	}
	if complaints.Len() > 0 {
		return nil, fmt.Errorf("%w: %s", errClient, complaints.Bytes())
	}
	return out.Bytes(), nil
}

// startHere starts the client's program in the launcher's place.
func (l *launcher) startHere(cmd *exec.Cmd) error {
	if l.procs != "" {
		cmd.Args = slices.Insert(cmd.Args, 1, "in", l.procs)
		cmd.SysProcAttr = contained(0)
	}
	return l.Start(cmd)
}

// sleepers has so many processes sleep, each with so many open files, until
// the function that it returns is called.
func (l *launcher) sleepers(count, files int) (end func() error, err error) {
	cmd := exec.Command(l.path, "sleepers", strconv.Itoa(count), strconv.Itoa(files))
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := l.startHere(cmd); err != nil {
		return nil, err
	}
	ready := bufio.NewReader(out)
	end = func() error {
		_ = in.Close()
		_, _ = io.Copy(io.Discard, ready)
		return cmd.Wait()
	}
	if _, err := ready.ReadString('\n'); err != nil {
		return nil, errors.Join(fmt.Errorf("%d more processes: %w", count, err), end())
	}
	return end, nil
}
