package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"syscall"

	"golang.org/x/sys/unix"

	"imds-analyzer/scripts/testbed"
)

// running is a container that is there: its first process, and a thread that
// starts others in it.
type running struct {
	*testbed.Namespace
	container
	init *exec.Cmd
	in   io.Closer // at its end the first process ends, and with it all others
}

// newRunning starts a container. To its processes the host's /proc is the
// directory proc.
func newRunning(network *testbed.Namespace, c container, client, procs, proc string) (*running, error) {
	thread, err := testbed.NewThread(func() error { return enter(network.Path, unix.CLONE_NEWNET) })
	if err != nil {
		return nil, err
	}
	r := &running{Namespace: thread, container: c}
	if err := r.open(client, procs, proc); err != nil {
		r.close()
		return nil, fmt.Errorf("cannot start a container: %w", err)
	}
	return r, nil
}

func (r *running) open(client, procs, proc string) (err error) {
	r.init = exec.Command(client, "in", procs, "init", proc)
	r.init.SysProcAttr = contained(unix.CLONE_NEWPID | unix.CLONE_NEWNS)
	out, err := r.init.StdoutPipe()
	if err != nil {
		return err
	}
	if r.in, err = r.init.StdinPipe(); err != nil {
		return err
	}
	if err := r.Start(r.init); err != nil {
		return err
	}
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		return err
	}
	return r.Do(func() error { return join(r.init.Process.Pid) })
}

// contained is for processes in a container. That they end with this process
// they see to themselves: the syscall package takes a parent that has no pid in
// their namespace for one that has ended.
func contained(flags uintptr) *syscall.SysProcAttr { return &syscall.SysProcAttr{Cloneflags: flags} }

// join takes this thread to the mount namespace of a process, and the processes
// that it will start to its pid namespace (setns(2)). It has to have a file system
// context of its own first.
func join(pid int) error {
	return errors.Join(
		unix.Unshare(unix.CLONE_FS),
		enter(fmt.Sprintf("/proc/%d/ns/pid", pid), unix.CLONE_NEWPID),
		enter(fmt.Sprintf("/proc/%d/ns/mnt", pid), unix.CLONE_NEWNS),
	)
}

func enter(path string, kind int) error {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	defer unix.Close(fd)
	return unix.Setns(fd, kind)
}

// close ends the container, and returns when its first process has ended, which is
// after all others: those that were started here have to be waited for.
func (r *running) close() {
	if r.in != nil {
		_ = r.in.Close()
	}
	if r.init != nil && r.init.Process != nil {
		_ = r.init.Process.Kill()
		_ = r.init.Wait()
	}
	r.Namespace.Close()
}
