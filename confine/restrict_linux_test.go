package confine_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"imds-analyzer/confine"
)

// asRestricted names what a test binary does in the place of tests, when it is restricted.
const asRestricted = "CONFINE_TEST_ATTEMPT"

func TestMain(m *testing.M) {
	name := os.Getenv(asRestricted)
	if name == "" {
		os.Exit(m.Run())
	}
	if err := attemptRestricted(attempts()[name]); err != nil {
		fmt.Println(err)
	}
}

// attemptRestricted attempts it in a thread that was there before the filter.
func attemptRestricted(a attempt) error {
	restricted, done := make(chan struct{}), make(chan error)
	go func() {
		runtime.LockOSThread()
		<-restricted
		done <- a.do()
	}()
	if err := confine.NoDumps(); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	if err := a.job.Restrict(); err != nil {
		return err
	}
	close(restricted)
	return <-done
}

// attempt is what a process does that is restricted to a job, and what comes of it: what it
// says, or that it is killed.
type attempt struct {
	job    confine.Job
	do     func() error
	says   string
	killed bool
}

func attempts() map[string]attempt {
	capture, programs := confine.Job{Capture: true}, confine.Job{Capture: true, Programs: true}
	run := func() error { return unix.Exec("/bin/true", []string{"true"}, nil) }
	child := func() error {
		out, err := exec.Command("/bin/sh", "-c", "echo it runs").Output()
		return errors.Join(err, errors.New(strings.TrimSpace(string(out))))
	}
	trace := func() error { return unix.PtraceAttach(os.Getppid()) }
	write := func() error {
		remote := unix.RemoteIovec{Base: 0, Len: 1}
		_, err := unix.ProcessVMWritev(os.Getppid(), []unix.Iovec{{Base: new(byte), Len: 1}}, []unix.RemoteIovec{remote}, 0)
		return err
	}
	code := func() error {
		_, err := unix.Mmap(-1, 0, os.Getpagesize(), unix.PROT_READ|unix.PROT_WRITE|unix.PROT_EXEC, unix.MAP_ANON|unix.MAP_PRIVATE)
		return err
	}
	typing := func() error {
		letter := byte('x')
		_, _, errno := unix.Syscall(unix.SYS_IOCTL, 0, unix.TIOCSTI, uintptr(unsafe.Pointer(&letter)))
		return errno
	}
	virtual := func() error { return errorOf(unix.Socket(unix.AF_VSOCK, unix.SOCK_STREAM, 0)) }
	network := func() error { return errorOf(unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)) }
	namespace := func() error {
		fd, err := unix.Open("/proc/self/ns/net", unix.O_RDONLY, 0)
		return errors.Join(err, unix.Setns(fd, unix.CLONE_NEWNET))
	}
	dumps := func() error {
		var limit unix.Rlimit
		dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
		return errors.Join(err, unix.Getrlimit(unix.RLIMIT_CORE, &limit), fmt.Errorf("dumpable %d, limit %d", dumpable, limit.Max))
	}
	return map[string]attempt{
		"run a program":              {capture, run, "", true},
		"run one as a child":         {capture, child, "fork/exec /bin/sh: function not implemented", false},
		"run one that may be run":    {programs, child, "it runs", false},
		"trace":                      {capture, trace, "", true},
		"trace, with programs":       {programs, trace, "operation not permitted", false},
		"write to others":            {capture, write, "", true},
		"write to others from files": {confine.Job{}, write, "", true},
		"make code":                  {capture, code, "function not implemented", false},
		"type":                       {capture, typing, "", true},
		"type, with programs":        {programs, typing, "operation not permitted", false},
		"another family of sockets":  {capture, virtual, "function not implemented", false},
		"a socket, reading files":    {confine.Job{}, network, "function not implemented", false},
		"a socket":                   {capture, network, "", false},
		"enter a namespace":          {capture, namespace, "function not implemented", false},
		"mount":                      {capture, func() error { return unix.Mount("none", "/mnt", "tmpfs", 0, "") }, "", true},
		"become another":             {programs, func() error { return unix.Setgid(0) }, "operation not permitted", false},
		"leave core dumps":           {capture, dumps, "dumpable 0, limit 0", false},
		"be restricted once more":    {capture, capture.Restrict, confine.ErrUnsupported.Error(), false},
	}
}

func errorOf(_ int, err error) error { return err }

// What is refused fails, and what only an intruder does ends the process: in threads that
// were there before, too.
func TestRestrict(t *testing.T) {
	t.Parallel()
	for name, a := range attempts() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = append(os.Environ(), asRestricted+"="+name, "GORACE=atexit_sleep_ms=0")
			out, err := cmd.Output()
			status := cmd.ProcessState.Sys().(syscall.WaitStatus)
			if killed := status.Signaled() && status.Signal() == unix.SIGSYS; killed != a.killed || status.CoreDump() {
				t.Errorf("%v: %s%s", err, cmd.ProcessState, out)
			}
			if said := strings.TrimSpace(string(out)); !strings.HasPrefix(said, a.says) || a.says == "" && said != "" {
				t.Errorf("said %q, not %q", said, a.says)
			}
		})
	}
}
