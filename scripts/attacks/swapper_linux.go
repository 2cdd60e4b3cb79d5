package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// What the attacker uses.
const (
	ballast  = "ballast" // fills the disk
	loot     = "loot"    // what came out of his pipes
	maxMoved = 48        // files of root's that he keeps

	comesAndGoes = "logs" // a directory that is there for moments only
	comingLink   = "link" // what it has
)

// swapper is the attacker: he puts something in the place of one name after the other, and
// of the directory, until his standard input ends. He says how often he has done so.
type swapper struct {
	theirs, logs, canaries string
	swaps                  int
}

func swap(theirs, canaries, shared string, in io.Reader, out io.Writer) error {
	ended := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, in)
		close(ended)
	}()
	syscall.Umask(0)
	s := &swapper{theirs: theirs, logs: filepath.Join(theirs, "logs"), canaries: canaries}
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		comeAndGo(shared, canaries, ended)
	}()
	for {
		select {
		case <-ended:
			<-gone
			_, err := fmt.Fprintln(out, s.swaps)
			return err
		default:
			s.round()
		}
	}
}

// comeAndGo has a directory come and go, with a link to a file of root's in it: who looks
// for the directory and for the file a moment later may find the one gone and the other
// there. The directory is the attacker's, and the one that it is in is root's.
func comeAndGo(shared, canaries string, ended <-chan struct{}) {
	away, there := filepath.Join(shared, "away"), filepath.Join(shared, comesAndGoes)
	_ = os.Mkdir(away, 0o777)
	_ = os.Symlink(filepath.Join(canaries, "canary"), filepath.Join(away, comingLink))
	for {
		select {
		case <-ended:
			return
		default:
			_ = os.Rename(away, there)
			_ = os.Rename(there, away)
			time.Sleep(time.Millisecond / 10) // others are to have a processor, too
		}
	}
}

// round swaps all once. What fails fails as the program is quicker: nothing is looked at.
func (s *swapper) round() {
	names := append(written(), "second.log", "second.log.1", "second.json", "second.json.lock")
	if entries, err := os.ReadDir(s.logs); err == nil {
		for _, e := range entries { // the names that are in use for a moment
			if strings.HasPrefix(e.Name(), ".") {
				names = append(names, e.Name())
			}
		}
	}
	for i, name := range names {
		if plant := s.plants()[(s.swaps+i)%len(s.plants())]; s.swaps%3 != 0 { // else the name is free
			s.put(name, plant)
		}
		s.swaps++
	}
	s.swapDirectory()
	if s.swaps/len(names)%8 == 0 {
		s.fill()
	}
}

// plants are what he puts in the place of a file.
func (s *swapper) plants() []func(name string) error {
	to := func(target string) func(string) error {
		return func(name string) error { return os.Symlink(target, name) }
	}
	canary := func(name string) string { return filepath.Join(s.canaries, name) }
	return []func(string) error{
		to(canary("canary")), to(canary("new")), to("../../canaries/imds.log"), to("/dev/zero"), to(s.canaries), to("/proc/self/mem"),
		func(name string) error { return os.Link(canary(openCanary), name) },
		func(name string) error { return os.Mkdir(name, 0o777) },
		func(name string) error {
			f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
			if err != nil {
				return err
			}
			return f.Close()
		},
		pipe,
		func(name string) error { return unix.Mknod(name, unix.S_IFSOCK|0o666, 0) },
	}
}

// put moves away what has the name, and puts something else there for a moment.
func (s *swapper) put(name string, plant func(string) error) {
	file := filepath.Join(s.logs, name)
	_ = os.Rename(file, filepath.Join(s.theirs, fmt.Sprintf("moved-%d", s.swaps%maxMoved)))
	_ = plant(file)
	time.Sleep(time.Duration(s.swaps%7) * 100 * time.Microsecond)
	if s.swaps%2 == 0 {
		_ = os.Remove(file)
	}
}

// swapDirectory puts a link in the place of the directory of logs.
func (s *swapper) swapDirectory() {
	away := filepath.Join(s.theirs, "away")
	if os.Rename(s.logs, away) != nil {
		return
	}
	_ = os.Symlink(s.canaries, s.logs)
	time.Sleep(time.Duration(s.swaps%11) * 100 * time.Microsecond)
	_ = os.Remove(s.logs)
	_ = os.Rename(away, s.logs)
	s.swaps++
}

// fill leaves no room on the disk for a moment.
func (s *swapper) fill() {
	name := filepath.Join(s.theirs, ballast)
	f, err := os.Create(name)
	if err != nil {
		return
	}
	chunk := make([]byte, 1<<20)
	for err == nil {
		_, err = f.Write(chunk)
	}
	time.Sleep(50 * time.Millisecond)
	_ = os.Remove(name)
	_ = f.Close()
}

// pipe makes a pipe, and keeps what comes out of it.
func pipe(name string) error {
	if err := unix.Mkfifo(name, 0o666); err != nil {
		return err
	}
	fd, err := unix.Open(name, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	go func() {
		defer unix.Close(fd)
		time.Sleep(5 * time.Millisecond)
		text := make([]byte, 4096)
		if n, _ := unix.Read(fd, text); n > 0 {
			_ = os.WriteFile(filepath.Join(filepath.Dir(filepath.Dir(name)), loot), text[:n], 0o600)
		}
	}()
	return nil
}
