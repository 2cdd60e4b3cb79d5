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
	"time"
)

// launcher starts clients, by the program that is built from client.c.
type launcher struct {
	*namespace
	path string
}

// launch is an order for clients.
type launch struct {
	atOnce, count int
	interval      time.Duration // between two starts; 0: none
	users         string        // uids that take turns, 0,1,65534
	command       []string
	within        time.Duration
}

// install copies the launcher to where all users can run it.
func install(n *namespace, program, dir string) (*launcher, error) {
	content, err := os.ReadFile(program)
	if err != nil {
		return nil, fmt.Errorf("the clients' program: %w", err)
	}
	path := filepath.Join(dir, "client")
	if err := os.WriteFile(path, content, 0o755); err != nil {
		return nil, err
	}
	return &launcher{n, path}, os.Chmod(path, 0o755) // whatever the umask
}

// run starts the clients, waits for the end of them all, and returns what the
// launcher said.
func (l *launcher) run(o launch) ([]byte, error) {
	args := []string{"spawn", strconv.Itoa(o.atOnce), strconv.Itoa(o.count), strconv.FormatInt(o.interval.Microseconds(), 10), o.users}
	var out, complaints bytes.Buffer
	ctx, cancel := context.WithTimeout(context.Background(), o.within)
	defer cancel()
	cmd := exec.CommandContext(ctx, l.path, append(args, o.command...)...)
	cmd.Stdout, cmd.Stderr = &out, &complaints
	// Clients of a launcher that was killed hold its standard error open.
	cmd.WaitDelay = time.Second
	if err := l.start(cmd); err != nil {
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
	if err := l.start(cmd); err != nil {
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
