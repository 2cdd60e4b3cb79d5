package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The kinds of pretenders.
const (
	kindPlain       = "plain"        // calls as what it is
	kindRewrite     = "rewrite"      // writes over its arguments and names, and calls
	kindRewriteLate = "rewrite-late" // does so between connect(2) and the request
	kindExec        = "exec"         // connects, and has another program of the same process send
	kindPass        = "pass"         // connects, and has a child send that inherits the socket
	kindRights      = "rights"       // connects, and has a process send that was there before
	kindSend        = "send"         // sends on a descriptor
	kindReceive     = "receive"      // sends on a descriptor that it receives
	kindAgent       = "agent"        // says to be another client
	kindHit         = "hit"          // ends as soon as it has sent
	kindWait        = "wait"         // makes no call
	kindMemory      = "memory"       // calls as a program that is only in memory
	kindRemove      = "remove"       // calls as a program whose file it has removed
	kindOwnRoot     = "own-root"     // calls as a program that it has mounted over another
	kindLockedCall  = "locked-call"  // does so, and calls
	kindProcessName = "process-name" // calls under another name of the process and of the thread
	kindThreadName  = "thread-name"  // calls in a thread of another name
	kindSilentRoot  = "silent-root"  // calls from a root directory that answers nobody else
	kindMap         = "map"          // calls with another executable and other arguments, by the kernel's word
)

// pretend is a pretender: its kind, the path that it calls, and the directory with the
// programs.
func pretend(args []string) error {
	kind, args := args[0], append(args[1:], "", "")
	path, directory := strings.Clone(args[0]), strings.Clone(args[1]) // some write over their arguments
	roles := map[string]func() error{
		kindPlain:       func() error { return callAs(path, "plain") },
		kindRewrite:     func() error { return errors.Join(rewrite(), callAs(path, "rewrite")) },
		kindRewriteLate: func() error { return callBetween(path, rewrite) },
		kindExec:        func() error { return execConnected(path, directory) },
		kindPass:        func() error { return passToChild(path) },
		kindRights:      func() error { return passToOther(path) },
		kindSend:        func() error { return sendOn(3, path) },
		kindReceive:     func() error { return receive(path) },
		kindAgent:       func() error { return callAs(path, agentFor(path)) },
		kindHit:         func() error { return hit(path) },
		kindWait:        func() error { _, err := io.Copy(io.Discard, os.Stdin); return err },
		kindMemory:      func() error { return runFromMemory(path) },
		kindRemove:      func() error { return removeAndCall(path) },
		kindOwnRoot:     func() error { return mountOver(path, directory) },
		kindLockedCall:  func() error { return keepLock(func() error { return callAs(path, "locked") }) },
	}
	roles[kindProcessName] = func() error { return callNamed(true, path) }
	roles[kindThreadName] = func() error { return callNamed(false, path) }
	roles[kindSilentRoot] = func() error { return callFromRoot(path, directory) }
	roles[kindMap] = func() error { return errors.Join(takeMap(hostProgram), callAs(path, "mapped")) }
	role, ok := roles[kind]
	if !ok {
		return fmt.Errorf("%w: there is no pretender of kind %q", errUsage, kind)
	}
	return role()
}

func connect() (net.Conn, error) { return dial(&net.TCPAddr{IP: net.ParseIP("10.2.0.1")}) }

func requestFor(path, agent string) string {
	return "GET " + path + " HTTP/1.1\r\nHost: " + service4 + "\r\nUser-Agent: " + agent + "\r\n\r\n"
}

func callAs(path, agent string) error {
	conn, err := connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	return send(conn, path, agent)
}

// Each of lingerEvery callers keeps its connection for so long after the answer, so that
// also the tables of /proc can be read meanwhile.
const (
	lingerTime  = 300 * time.Millisecond
	lingerEvery = 5
)

// send sends a request and takes the answer.
func send(conn net.Conn, path, agent string) error {
	_, err := exchange(conn, bufio.NewReader(conn), requestFor(path, agent))
	if i, notOne := strconv.Atoi(filepath.Base(path)); notOne == nil && i%lingerEvery == 0 {
		time.Sleep(lingerTime)
	}
	return err
}

// callBetween does something between connect(2) and the request.
func callBetween(path string, do func() error) error {
	conn, err := connect()
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := do(); err != nil {
		return err
	}
	return send(conn, path, "between")
}

// What is pretended: a name of 15 bytes, which is as long as one can be (PR_SET_NAME), and
// arguments that are longer than any of the callers'.
const (
	honestName = "/usr/bin/honest"
	otherName  = "honest"
)

var honestText = strings.Repeat(honestName+"\x00", 64)

// rewrite writes the arguments of an honest program over its own, in place, and its name
// over those of the process and of the thread.
func rewrite() error {
	text := []byte(honestText)
	for _, arg := range os.Args {
		text = text[copy(unsafe.Slice(unsafe.StringData(arg), len(arg)), text):]
	}
	return errors.Join( // the thread can be the one whose name is the process's
		os.WriteFile("/proc/thread-self/comm", []byte("honest-thread"), 0),
		os.WriteFile("/proc/self/comm", []byte(honestName), 0))
}

// descriptorOf returns the socket under a descriptor that stays open in other programs.
func descriptorOf(conn net.Conn) (*os.File, error) { return conn.(*net.TCPConn).File() }

func execConnected(path, directory string) error {
	conn, err := connect()
	if err != nil {
		return err
	}
	file, err := descriptorOf(conn)
	if err != nil {
		return err
	}
	if err := unix.Dup2(int(file.Fd()), 3); err != nil {
		return err
	}
	other := filepath.Join(directory, otherProgram)
	return syscall.Exec(other, []string{other, rolePretend, kindSend, path}, nil)
}

func passToChild(path string) error {
	conn, err := connect()
	if err != nil {
		return err
	}
	file, err := descriptorOf(conn)
	if err != nil {
		return err
	}
	child := exec.Command(self, rolePretend, kindSend, path)
	child.ExtraFiles, child.Stderr = []*os.File{file}, os.Stderr
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(child.Process.Pid)
	return errors.Join(file.Close(), conn.Close(), child.Wait())
}

// passToOther passes the connection to a process that was there before it
// (SCM_RIGHTS, unix(7)).
func passToOther(path string) error {
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	child := exec.Command(self, rolePretend, kindReceive, path)
	child.ExtraFiles, child.Stderr = []*os.File{os.NewFile(uintptr(pair[1]), "pair")}, os.Stderr
	if err := child.Start(); err != nil {
		return err
	}
	fmt.Println(child.Process.Pid)
	conn, err := connect()
	if err != nil {
		return err
	}
	file, err := descriptorOf(conn)
	if err != nil {
		return err
	}
	if err := unix.Sendmsg(pair[0], []byte("x"), unix.UnixRights(int(file.Fd())), nil, 0); err != nil {
		return err
	}
	return errors.Join(file.Close(), conn.Close(), child.Wait())
}

func receive(path string) error {
	room := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := unix.Recvmsg(3, make([]byte, 1), room, 0)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(room[:n])
	if err != nil || len(messages) == 0 {
		return fmt.Errorf("no descriptor came: %w", err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		return err
	}
	return sendOn(fds[0], path)
}

func sendOn(fd int, path string) error {
	file := os.NewFile(uintptr(fd), "connection")
	conn, err := net.FileConn(file)
	if err != nil {
		return err
	}
	defer conn.Close()
	return send(conn, path, "sent")
}

// agentFor is the User-Agent that goes with the number of a path.
func agentFor(path string) string {
	i, _ := strconv.Atoi(filepath.Base(path))
	return pretendedAgents[i%len(pretendedAgents)]
}

// hit ends without waiting for the answer.
func hit(path string) error {
	conn, err := connect()
	if err != nil {
		return err
	}
	_, err = io.WriteString(conn, requestFor(path, "hit"))
	return err
}

// runFromMemory goes on as a program that has no file (memfd_create(2)).
func runFromMemory(path string) error {
	fd, err := unix.MemfdCreate("usr/bin/honest", 0)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	if _, err := os.NewFile(uintptr(fd), "memory").Write(text); err != nil {
		return err
	}
	name := fmt.Sprintf("/proc/self/fd/%d", fd)
	return syscall.Exec(name, []string{"/usr/bin/honest", rolePretend, kindPlain, path}, nil)
}

func removeAndCall(path string) error {
	own, err := os.Readlink(self)
	if err != nil {
		return err
	}
	// The directory is open to all. What comes in the place of the file is another program.
	if err := errors.Join(os.Remove(own), os.Symlink(hostProgram, own)); err != nil {
		return err
	}
	return callAs(path, "removed")
}

// mountOver makes itself hostProgram to itself, and has users and packages of its own.
func mountOver(path, directory string) error {
	caller := filepath.Join(directory, "caller")
	err := errors.Join(
		unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
		unix.Mount(caller, hostProgram, "", unix.MS_BIND, ""),
		unix.Mount(filepath.Join(directory, "passwd"), "/etc/passwd", "", unix.MS_BIND, ""))
	if err != nil {
		return err
	}
	return syscall.Exec(hostProgram, []string{hostProgram, rolePretend, kindPlain, path}, nil)
}

// What keepLock changes the protection of takes page tables of 5 MiB, and a tenth of a
// second.
const (
	lockedPages = 64 << 20 // bytes, mapped again and again
	lockedTimes = 40
)

// keepLock keeps the lock of the process's memory nearly all the time, with system calls
// that take long under it, and does something meanwhile.
func keepLock(do func() error) error {
	fd, err := unix.MemfdCreate("pages", unix.MFD_CLOEXEC)
	if err != nil {
		return err
	}
	if err := unix.Ftruncate(fd, lockedPages); err != nil {
		return err
	}
	at, err := mmap(0, lockedPages*lockedTimes, unix.PROT_NONE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_NORESERVE, -1)
	if err != nil {
		return err
	}
	for i := range uintptr(lockedTimes) {
		if _, err := mmap(at+i*lockedPages, lockedPages, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_FIXED|unix.MAP_POPULATE, fd); err != nil {
			return err
		}
	}
	go func() {
		runtime.LockOSThread()
		for readOnly := true; ; readOnly = !readOnly {
			protection := uintptr(unix.PROT_READ)
			if !readOnly {
				protection |= unix.PROT_WRITE
			}
			_, _, _ = unix.Syscall(unix.SYS_MPROTECT, at, lockedPages*lockedTimes, protection)
		}
	}()
	return do()
}

func mmap(at, length uintptr, protection, flags, fd int) (uintptr, error) {
	got, _, errno := unix.Syscall6(unix.SYS_MMAP, at, length, uintptr(protection), uintptr(flags), uintptr(fd), 0)
	if errno != 0 {
		return 0, errno
	}
	return got, nil
}
