package attribution

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// A child is another process that makes connections and lives until its
// standard input is closed. It prints a line when it is ready.
type child struct {
	*exec.Cmd
	stdin io.WriteCloser
	lines *bufio.Scanner
}

func startChild(t *testing.T, mode string, args ...string) *child {
	t.Helper()
	return startChildWith(t, nil, mode, args...)
}

func startChildWith(t *testing.T, attr *syscall.SysProcAttr, mode string, args ...string) *child {
	t.Helper()
	return startProgram(t, "/proc/self/exe", attr, mode, args...)
}

// namespaces has a child start in namespaces of its own. Without root that takes
// a user namespace too.
func namespaces(flags uintptr) *syscall.SysProcAttr {
	attr := &syscall.SysProcAttr{Cloneflags: flags}
	if user := os.Geteuid(); user != 0 {
		attr.Cloneflags |= unix.CLONE_NEWUSER
		attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: user, Size: 1}}
	}
	return attr
}

func startProgram(t *testing.T, path string, attr *syscall.SysProcAttr, mode string, args ...string) *child {
	t.Helper()
	cmd := exec.Command(path, args...)
	// Under -race a program waits a second at its end, unless told not to.
	cmd.Env = append(os.Environ(), childMode+"="+mode, "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = attr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{cmd, stdin, bufio.NewScanner(stdout)}
	t.Cleanup(func() {
		c.stdin.Close()
		c.Wait()
	})
	return c
}

// line returns the next line that the child prints.
func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.lines.Scan() {
		t.Fatalf("the child ended: %v", c.lines.Err())
	}
	return c.lines.Text()
}

// tuple reads the connection that the child says it has made.
func (c *child) tuple(t *testing.T) Tuple {
	t.Helper()
	local, remote, _ := strings.Cut(c.line(t), " ")
	return Tuple{Local: netip.MustParseAddrPort(local), Remote: netip.MustParseAddrPort(remote)}
}

// runChild is what a child does.
func runChild(mode string, args []string) error {
	var fd int
	var err error
	switch mode {
	case "connect":
		fd, err = connect(args[0])
	case "mapped":
		fd, err = connectMapped(args[0])
	case "bound":
		fd, err = connectBound(args[0])
	case "inherit":
		fd, err = connectInherited(args[0])
	case "namespace":
		fd, err = connectInNamespace(args[0])
	case "later":
		if fd, err = connectLater(args[0]); err == io.EOF {
			return nil // it was never told
		}
	case "pinned":
		fd, err = connectPinned(args[0])
	case "short":
		return connectAndEnd(args[0])
	case "hold", "wait":
		fd = 3 // inherited, or none
	}
	if err != nil {
		return err
	}
	if mode != "hold" && mode != "wait" {
		if err := report(fd); err != nil {
			return err
		}
	}
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// report prints the tuple of the connection.
func report(fd int) error {
	local, err := unix.Getsockname(fd)
	if err != nil {
		return err
	}
	remote, err := unix.Getpeername(fd)
	if err != nil {
		return err
	}
	_, err = fmt.Println(addrPort(local), addrPort(remote))
	return err
}

func addrPort(a unix.Sockaddr) netip.AddrPort {
	switch a := a.(type) {
	case *unix.SockaddrInet4:
		return netip.AddrPortFrom(netip.AddrFrom4(a.Addr), uint16(a.Port))
	case *unix.SockaddrInet6:
		return netip.AddrPortFrom(netip.AddrFrom16(a.Addr), uint16(a.Port))
	}
	return netip.AddrPort{}
}

func sockaddr(a netip.AddrPort) (family int, s unix.Sockaddr) {
	if a.Addr().Is4() {
		return unix.AF_INET, &unix.SockaddrInet4{Port: int(a.Port()), Addr: a.Addr().As4()}
	}
	return unix.AF_INET6, &unix.SockaddrInet6{Port: int(a.Port()), Addr: a.Addr().As16()}
}

// socket makes a socket for connections to the address. Nothing of the runtime
// holds it.
func socket(address string) (fd int, to unix.Sockaddr, err error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0, nil, err
	}
	family, to := sockaddr(a)
	fd, err = unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	return fd, to, err
}

func connect(address string) (int, error) {
	fd, to, err := socket(address)
	if err != nil {
		return 0, err
	}
	return fd, unix.Connect(fd, to)
}

// connectMapped connects to an IPv4 address with an IPv6 socket.
func connectMapped(address string) (int, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0, err
	}
	return connect(netip.AddrPortFrom(netip.AddrFrom16(a.Addr().As16()), a.Port()).String())
}

// connectBound connects with a socket bound to the loopback interface.
func connectBound(address string) (int, error) {
	fd, to, err := socket(address)
	if err != nil {
		return 0, err
	}
	if err := unix.BindToDevice(fd, "lo"); err != nil {
		return 0, err
	}
	return fd, unix.Connect(fd, to)
}

// connectInherited connects and has a child of its own hold the socket too. It
// prints that one's pid first.
func connectInherited(address string) (int, error) {
	fd, err := connect(address)
	if err != nil {
		return 0, err
	}
	heir := exec.Command("/proc/self/exe")
	heir.Env = append(os.Environ(), childMode+"=hold")
	heir.Stdin = os.Stdin
	heir.ExtraFiles = []*os.File{os.NewFile(uintptr(fd), "socket")}
	if err := heir.Start(); err != nil {
		return 0, err
	}
	fmt.Println(heir.Process.Pid)
	return fd, nil
}

// connectAndEnd says which process it is, and is gone.
func connectAndEnd(address string) error {
	fd, err := connect(address)
	if err != nil {
		return err
	}
	_, err = unix.Write(fd, []byte(strconv.Itoa(os.Getpid())))
	return err
}

// connectInNamespace is for a network namespace of its own: it gives the
// loopback interface the address, listens there and connects.
func connectInNamespace(address string) (int, error) {
	a, err := netip.ParseAddrPort(address)
	if err != nil {
		return 0, err
	}
	if err := giveLoopback(a.Addr()); err != nil {
		return 0, err
	}
	if _, err := net.Listen("tcp", address); err != nil {
		return 0, err
	}
	return connect(address)
}

// connectLater is connectInNamespace when it is told so. It says that it waits.
func connectLater(address string) (int, error) {
	fmt.Println()
	if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
		return 0, err
	}
	return connectInNamespace(address)
}

// connectPinned is connectInNamespace from a port that is always the same.
func connectPinned(address string) (int, error) {
	first, err := connectInNamespace(address)
	if err != nil {
		return 0, err
	}
	unix.Close(first)
	fd, to, err := socket(address)
	if err != nil {
		return 0, err
	}
	from := *to.(*unix.SockaddrInet4)
	from.Port = 40000
	if err := unix.Bind(fd, &from); err != nil {
		return 0, err
	}
	return fd, unix.Connect(fd, to)
}

func giveLoopback(a netip.Addr) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	request, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	ip := a.As4()
	if err := request.SetInet4Addr(ip[:]); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCSIFADDR, request); err != nil {
		return err
	}
	request.SetUint16(unix.IFF_UP)
	return unix.IoctlIfreq(fd, unix.SIOCSIFFLAGS, request)
}
