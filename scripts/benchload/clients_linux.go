package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"
)

// callPaced is a long-lived client: kind, its number, how many of its turns a thread
// makes, and the nanoseconds from one to the next. It begins when in ends.
func callPaced(args []string, in io.Reader) error {
	if len(args) != 4 {
		return errUsage
	}
	k, ok := kindNamed(args[0])
	if !ok {
		return fmt.Errorf("%w: no kind %q", errUsage, args[0])
	}
	turns, err := strconv.Atoi(args[2])
	nanoseconds, err2 := strconv.ParseInt(args[3], 10, 64)
	if err := errors.Join(err, err2); err != nil {
		return fmt.Errorf("%w: %q, %w", errUsage, args, err)
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return err
	}
	p := pace{time.Now(), time.Duration(nanoseconds)}
	failed := make(chan error)
	for n := range threads {
		// The threads take turns.
		own := pace{p.begin.Add(p.interval * time.Duration(n) / threads), p.interval}
		c := &caller{kind: k, base: fmt.Sprintf("%s0/%s%d/%d/%d/", metadataPath, args[1], n, os.Getpid(), os.Getpid()), fd: -1}
		go func() { failed <- c.callAll(own, turns) }()
	}
	for range threads {
		err = errors.Join(err, <-failed)
	}
	return err
}

// caller is one thread's way of making calls. It uses system calls and no more, so that
// of two processors as much as possible is left.
type caller struct {
	kind   kind
	base   string
	fd     int // of the connection; -1 if there is none
	n      int // calls so far
	answer [1 << 10]byte
}

func (c *caller) callAll(p pace, turns int) error {
	for n := range turns {
		time.Sleep(p.wait(n, time.Now()))
		if err := c.turn(); err != nil {
			return fmt.Errorf("call %d: %w", c.n, err)
		}
	}
	return c.disconnect()
}

func (c *caller) turn() error {
	if err := c.connect(); err != nil {
		return err
	}
	token := ""
	if c.kind.calls == 2 {
		if err := c.call("PUT "+tokenTarget, "X-aws-ec2-metadata-token-ttl-seconds: 60\r\nContent-Length: 0\r\n"); err != nil {
			return err
		}
		token = "X-aws-ec2-metadata-token: benchmark\r\n"
	}
	if err := c.call("GET ", token); err != nil || c.kind.connections == 0 {
		return err
	}
	return c.disconnect()
}

var serviceAddr = unix.SockaddrInet4{Port: 80, Addr: [4]byte{169, 254, 169, 254}}

func (c *caller) connect() (err error) {
	if c.fd >= 0 {
		return nil
	}
	if c.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return err
	}
	to := serviceAddr
	return again(func() error { return unix.Connect(c.fd, &to) })
}

func (c *caller) disconnect() error {
	if c.fd < 0 {
		return nil
	}
	fd := c.fd
	c.fd = -1
	return unix.Close(fd)
}

// call makes a call and reads its answer, whose end is that of its body.
func (c *caller) call(what, header string) error {
	request := what + c.base + strconv.Itoa(c.n) + " HTTP/1.1\r\nHost: 169.254.169.254\r\n" + header + "\r\n"
	c.n++
	if _, err := unix.Write(c.fd, []byte(request)); err != nil {
		return err
	}
	for length := 0; ; {
		n, err := unix.Read(c.fd, c.answer[length:])
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n == 0 {
			return errors.Join(io.ErrUnexpectedEOF, err)
		}
		length += n
		if bytes.HasSuffix(c.answer[:length], []byte("\r\n\r\n"+answerBody)) {
			return nil
		}
	}
}

// again repeats what a signal has interrupted (the Go runtime sends some).
func again(do func() error) error {
	for {
		err := do()
		if !errors.Is(err, unix.EINTR) && !errors.Is(err, unix.EALREADY) {
			if errors.Is(err, unix.EISCONN) {
				return nil
			}
			return err
		}
	}
}
