package cli_test

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// The programs below have processes that share a socket or a port. A process
// has its pid in the targets of its calls. They say "ready", and call when
// their standard input is closed.

// leavers call and end. A child that has nothing to do with the call inherits
// the connection.
const leavers = `
echo ready
read -r _
for i in 1 2 3 4 5 6 7 8 9 10; do
	bash -c 'exec 4<>"/dev/tcp/$HOST/80"; printf "GET /latest/meta-data/$$ HTTP/1.1\r\nHost: x\r\n\r\n" >&4; sleep 0.2 &' >/dev/null
done
`

// adopter makes the program that follows one that orphans go to, as the
// managers of services and containers do (PR_SET_CHILD_SUBREAPER, prctl(2)).
const adopter = `
import ctypes, os, sys
if ctypes.CDLL(None).prctl(36, 1, 0, 0, 0) != 0:
    sys.exit('prctl')
os.execv(sys.argv[1], sys.argv[1:])
`

// forker is the beginning of those in Python.
const forker = `
import os, signal, socket, struct, sys
service = os.environ['HOST'], 80

def fork(run):
    pid = os.fork()
    if pid == 0:
        run()
        os._exit(0)
    return pid

def call(s):
    s.send(b'GET /latest/meta-data/%d HTTP/1.1\r\nHost: x\r\n\r\n' % os.getpid())
    s.recv(999)

def ready(caller, other):
    print('ready', flush=True)
    os.waitpid(caller, 0)
    os.kill(other, signal.SIGKILL)
    os.waitpid(other, 0)
`

// siblings have a socket from their parent, which has none any more. One of
// them connects it.
const siblings = forker + `
def caller():
    sys.stdin.read()
    s.connect(service)
    call(s)

s = socket.socket()
pids = fork(caller), fork(signal.pause)
s.close()
ready(*pids)
`

// heirs have a connection that is older than the capture.
const heirs = forker + `
def caller():
    sys.stdin.read()
    call(s)

s = socket.create_connection(service)
call(s)
pids = fork(caller), fork(signal.pause)
s.close()
ready(*pids)
`

// successors use the same port, one right after the other.
const successors = forker + `
def call_from_port():
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)) # no TIME-WAIT
    s.bind(('', 40000))
    s.connect(service)
    call(s)
    s.close()

def first():
    sys.stdin.read()
    call_from_port()
    os.write(tell, b'x')
    signal.pause()

def second():
    os.read(told, 1)
    call_from_port()

told, tell = os.pipe()
other = fork(first)
ready(fork(second), other)
`

// Not to know who of those that share something has called is one thing, to
// name the wrong one as proven another.
func TestLiveSharedSockets(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name          string
		command       []string
		before, calls int // before the capture, and then
		rules         rules
	}{
		{"inherited from a caller that ends", []string{tool(t, "bash"), "-c", leavers}, 0, 10, rules{}},
		{"the same below a manager", []string{pythonPath(t), "-c", adopter, tool(t, "bash"), "-c", leavers}, 0, 10, rules{}},
		{"connected by one of several", []string{pythonPath(t), "-c", siblings}, 0, 1, rules{delay: lifeTime}},
		{"inherited before the capture", []string{pythonPath(t), "-c", heirs}, 1, 1, rules{delay: lifeTime}},
		{"same port", []string{pythonPath(t), "-c", successors}, 0, 2, rules{}},
	} {
		for _, ways := range []string{"tracepoint,sock_diag,proc", "sock_diag"} {
			t.Run(test.name+" by "+ways, func(t *testing.T) {
				t.Parallel()
				s := newSite(t)
				s.service.follow(test.rules)
				begin, wait := s.prepare(t, test.command)
				s.service.calls(t, 0, test.before)
				saved := filepath.Join(t.TempDir(), "saved")
				p := s.host.watch(t, "--attribution", ways, "-w", saved)
				begin()
				wait()
				s.service.calls(t, test.before, test.calls)
				log := p.stop(t, os.Interrupt)
				if !strings.Contains(log, `"not_found"`) { // too late for the log, but not for the file
					checkSavedCallers(t, saved, log)
				}
				entries := entriesOf(t, log)
				if len(entries) != test.calls {
					t.Errorf("%d entries, not %d", len(entries), test.calls)
				}
				for _, e := range entries {
					checkNotWrong(t, e)
				}
			})
		}
	}
}

// prepare starts the command on the host until it is ready. What it returns
// has it go on, and waits until it has ended.
func (s *site) prepare(t *testing.T, command []string) (begin, wait func()) {
	t.Helper()
	cmd := exec.Command(command[0], command[1:]...)
	cmd.Env = append(plainEnvironment(), "HOST="+service4.String())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.host.start(cmd); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdin.Close() })
	out := bufio.NewReader(stdout)
	if _, err := out.ReadString('\n'); err != nil {
		t.Fatalf("%s is not ready: %v", command[0], err)
	}
	return func() { _ = stdin.Close() }, func() {
		_, _ = io.Copy(io.Discard, out)
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	}
}

// checkNotWrong makes sure that no process is said to have made the call, as
// proven, but the one that has its pid in the target.
func checkNotWrong(t *testing.T, e liveEntry) {
	t.Helper()
	pid, err := strconv.Atoi(path.Base(e.target))
	if err != nil {
		t.Fatal(err)
	}
	a := e.IMDS.Attribution
	isCaller := func(c struct{ PID int }) bool { return c.PID == pid }
	switch {
	case e.Process.PID == pid, e.Process.PID == 0, a.Status == "inferred":
	case a.Status == "shared" && slices.ContainsFunc(a.Candidates, isCaller):
	default:
		t.Errorf("the call of process %d is that of %d (%s), it says: %s by %s", pid, e.Process.PID, e.Process.Name, a.Status, a.Method)
	}
}
