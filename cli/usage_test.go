//go:build linux

package cli_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"imds-analyzer/cli"
	"imds-analyzer/output/screentest"
)

// How the program is called, what it answers, and with which exit status.

func TestWrongUsage(t *testing.T) {
	file := captureOf(t, "boto")
	dir := t.TempDir()
	written, again := dir+"/written", dir+"/./written"
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"unknown flag", []string{"--nope"}, "--nope"},
		{"unknown short flag", []string{"-x"}, "-x"},
		{"unknown command", []string{"frobnicate"}, "frobnicate"},
		{"file without -r", []string{file}, "-r " + file},
		{"file and interface", []string{"-i", "lo", file}, "-r " + file},
		{"both -i and -r", []string{"-i", "lo", "-r", file}, "--interface is for live captures, and -r reads files"},
		{"both --attribution and -r", []string{"--attribution", "proc", "-r", file}, "--attribution"},
		{"both --realtime and -r", []string{"--realtime", "-r", file}, "--realtime"},
		{"both --no-packages and -r", []string{"--no-packages", "-r", file}, "--no-packages"},
		{"both --own-namespace and -r", []string{"--own-namespace", "-r", file}, "--own-namespace"},
		{"no way", []string{"--attribution", ""}, "tracepoint, sock_diag, proc"},
		{"way that is not known", []string{"--attribution", "proc,ebpf"}, "tracepoint, sock_diag, proc"},
		{"-r without a file", []string{"-r"}, "-r"},
		{"-r without a name", []string{"-r", ""}, "-r"},
		{"-o without a name", []string{"-r", file, "-o", ""}, "-o"},
		{"-w without a name", []string{"-r", file, "-w", ""}, "-w"},
		{"size without unit", []string{"-r", file, "-o", written, "--rotate-size", "64M"}, "KiB, MiB or GiB"},
		{"size below zero", []string{"-r", file, "-o", written, "--rotate-size", "-1"}, "KiB, MiB or GiB"},
		{"rotation of no file", []string{"-r", file, "--rotate-size", "1MiB"}, "-o"},
		{"files to keep without rotation", []string{"-r", file, "-o", written, "--rotate-keep", "3"}, "--rotate-size"},
		{"no file to keep", []string{"-r", file, "-o", written, "--rotate-size", "1MiB", "--rotate-keep", "0"}, "at least 1"},
		{"rotation too small", []string{"-r", file, "-o", written, "--rotate-size", "1"}, "64 KiB"},
		{"too many files to keep", []string{"-r", file, "-o", written, "--rotate-size", "1MiB", "--rotate-keep", "1001"}, "at most 1000"},
		{"state on standard output", []string{"--state", "-"}, "--state"},
		{"log in the place of the lock", []string{"-o", written + ".lock", "--state", written}, "two things at once"},
		{"packets in a log that was rotated", []string{"-r", file, "-o", written, "--rotate-size", "1MiB", "-w", again + ".2"}, again + ".2"},
		{"both --journald and -r", []string{"--journald", "-r", file}, "--journald is for live captures, and -r reads files"},
		{"both --metrics-textfile and -r", []string{"--metrics-textfile", written + ".prom", "-r", file}, "--metrics-textfile is for live captures, and -r reads files"},
		{"metrics in a file that nobody reads", []string{"--metrics-textfile", written}, ".prom"},
		{"metrics in the place of the log", []string{"--metrics-textfile", written + ".prom", "-o", again + ".prom"}, "two things at once"},
		{"metrics in the place of the state", []string{"--metrics-textfile", written + ".prom", "--state", again + ".prom"}, "two things at once"},
		{"metrics too often", []string{"--metrics-textfile", written + ".prom", "--metrics-interval", "1ms"}, "at least 1s"},
		{"interval of no metrics", []string{"--metrics-interval", "1m"}, "--metrics-textfile"},
		{"metrics for everybody", []string{"--metrics-listen", "0.0.0.0:9399"}, "127.0.0.1:9399"},
		{"interval of no --emf", []string{"--emf-interval", "1m"}, "--emf"},
		{"instances of no --emf", []string{"--emf-per-instance"}, "--emf"},
		{"lines for CloudWatch and no log", []string{"--emf", "--format", "text"}, "-o"},
		{"lines for CloudWatch too often", []string{"--emf", "--emf-interval", "0"}, "at least 1s"},
		{"endpoint that is a name", []string{"-r", file, "--endpoint", "localhost"}, "localhost"},
		{"endpoint with a bad port", []string{"-r", file, "--endpoint", "169.254.169.254:99999"}, "99999"},
		{"endpoint with a scheme", []string{"-r", file, "--endpoint", "http://169.254.169.254"}, "http"},
		{"endpoint that is none", []string{"-r", file, "--endpoint", "0.0.0.0"}, "0.0.0.0"},
		{"format", []string{"-r", file, "--format", "xml"}, "xml"},
		{"only", []string{"-r", file, "--only", "v2"}, "v2"},
		{"no calls", []string{"-r", file, "--count", "0"}, "--count"},
		{"count below zero", []string{"-r", file, "--count", "-1"}, "--count"},
		{"count that is no number", []string{"-r", file, "--count", "many"}, "--count"},
		{"duration below zero", []string{"-r", file, "--duration", "-1s"}, "negative"},
		{"duration without unit", []string{"-r", file, "--duration", "5"}, "--duration"},
		{"log over the input", []string{"-r", file, "-o", file}, file},
		{"packets over the input", []string{"-r", file, "-w", file}, file},
		{"log over the second input", []string{"-r", captureOf(t, "go-tools"), file, "-o", file}, file},
		{"log and packets in one file", []string{"-r", file, "-o", written, "-w", written}, "same file"},
		{"log and packets in one file by two names", []string{"-r", file, "-o", written, "-w", again}, "same file"},
		{"argument of version", []string{"version", "x"}, `version takes no arguments, and was given "x" (see imds-analyzer version --help)`},
		{"two configurations", []string{"check-config", "a", "b"}, "check-config takes one FILE (see imds-analyzer check-config --help)"},
		{"flag of version", []string{"version", "--nope"}, "--nope"},
		{"argument of selftest", []string{"selftest", "x"}, "x"},
		{"selftest's hidden command", []string{"selftest-child"}, "selftest"},
		{"shell that is not known", []string{"completion", "tcsh"}, "tcsh"},
		{"argument of completion", []string{"completion", "bash", "x"}, "x"},
		{"help for what is not there", []string{"help", "frobnicate"}, "frobnicate"},
		{"escapes", []string{"\x1b[31m\nx"}, "31m"},
		{"escapes in a flag", []string{"--\x1b[31m\nx"}, "31m"},
		{"escapes in a value", []string{"-r", file, "--endpoint", "\x1b[31m\nx\u202e"}, "31m"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run(tt.args...)
			if r.status != 2 || r.out != "" {
				t.Errorf("exit status %d, standard output %.200q", r.status, r.out)
			}
			oneLine(t, r.err)
			if !strings.Contains(r.err, tt.says) {
				t.Errorf("it does not speak of %q: %s", tt.says, r.err)
			}
		})
	}
}

// What cannot be read or written ends with one line that says so.
func TestFailures(t *testing.T) {
	file, dir := captureOf(t, "boto"), t.TempDir()
	mkdir := func(name string) string {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(name, 0o700); err != nil {
			t.Fatal(err)
		}
		return name
	}
	write := func(name, text string) string {
		name = filepath.Join(mkdir(filepath.Dir(name)), filepath.Base(name))
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return name
	}
	missing := filepath.Join(dir, "missing")
	for _, tt := range []struct {
		name string
		args []string
		says string
	}{
		{"missing", []string{"-r", missing}, "no such file"},
		{"missing beside a good one", []string{"-r", file, missing}, "no such file"},
		{"command beside a file", []string{"frobnicate", "-r", file}, "frobnicate"},
		{"empty directory", []string{"-r", mkdir("nothing")}, "holds no capture files: it is empty"},
		{"directory without captures", []string{"-r", filepath.Dir(write("some/text", "hello\n"))}, "holds no capture files, but text"},
		{"empty directory beside a good file", []string{"-r", file, mkdir("nothing")}, "holds no capture files: it is empty"},
		{"empty", []string{"-r", write("empty", "")}, "empty"},
		{"empty standard input", []string{"-r", "-"}, "standard input"},
		{"text", []string{"-r", write("text", "hello\n")}, "text"},
		{"JSON", []string{"-r", write("json", `{"a":1}`)}, "JSON"},
		{"zeros", []string{"-r", write("zeros", strings.Repeat("\x00", 100))}, "zero"},
		{"garbage", []string{"-r", write("garbage", "\xde\xad\xbe\xef\x00\x01\x02\x03")}, "not a capture"},
		{"half a magic number", []string{"-r", write("half", "\xd4\xc3")}, "cut off"},
		{"magic number only", []string{"-r", write("magic", "\xd4\xc3\xb2\xa1")}, "cut off"},
		{"gzip of nothing", []string{"-r", write("gzip", pack(t, ""))}, "empty"},
		{"gzip cut off", []string{"-r", write("cut.gz", pack(t, readFile(t, file))[:12])}, "cut off"},
		{"escapes in the name", []string{"-r", filepath.Join(dir, "\x1b]0;x\x07\n\u202e")}, "no such file"},
		{"escapes in the file", []string{"-r", write("escapes", "\x1b[2J\x1b]0;x\x07\u009b")}, "escapes"},
		{"log in a missing directory", []string{"-r", file, "-o", filepath.Join(missing, "x")}, missing},
		{"packets in a missing directory", []string{"-r", file, "-w", filepath.Join(missing, "x")}, missing},
		{"log is a directory", []string{"-r", file, "-o", dir}, "directory"},
		{"packets are a directory", []string{"-r", file, "-w", dir}, "directory"},
		{"log in no directory", []string{"-r", file, "-o", filepath.Join(dir, "none") + "/"}, "directory"},
		{"log in itself", []string{"-r", file, "-o", dir + "/.."}, "directory"},
		{"log with a long name", []string{"-r", file, "-o", filepath.Join(dir, strings.Repeat("x", 4096))}, "name too long"},
		{"packets with a long name", []string{"-r", file, "-w", filepath.Join(dir, strings.Repeat("x", 4096))}, "name too long"},
		{"log with escapes in a missing directory", []string{"-r", file, "-o", missing + "/\x1b[2J\n/x"}, "no such file"},
		{"log in a file that is not open", []string{"-r", file, "-o", "/proc/self/fd/999"}, "no such file"},
		{"packets in memory", []string{"-r", file, "-w", "/proc/self/mem"}, "cannot save packets"},
		{"input that is memory", []string{"-r", "/proc/self/mem"}, "input/output error"},
		{"report is a directory", []string{"report", file, "-o", dir}, "directory"},
		{"report with a long name", []string{"report", file, "-o", filepath.Join(dir, strings.Repeat("x", 4096))}, "name too long"},
		{"report on a full disk", []string{"report", file, "-o", "/dev/full"}, "no space left"},
		{"disk full", []string{"-r", file, "-o", "/dev/full"}, "no space left"},
		{"disk full of packets", []string{"-r", file, "-w", "/dev/full"}, "no space left"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run(tt.args...)
			if r.status != 1 {
				t.Errorf("exit status %d", r.status)
			}
			oneLine(t, r.err)
			if !strings.Contains(r.err, tt.says) {
				t.Errorf("it does not speak of %q: %s", tt.says, r.err)
			}
			if strings.Contains(r.out, "imds.call") {
				t.Errorf("there are calls: %s", r.out)
			}
		})
	}
}

// A file that comes on standard input is a file that is read.
func TestInputIsNotOverwritten(t *testing.T) {
	for _, flag := range []string{"-o", "-w"} {
		file, data := filepath.Join(t.TempDir(), "x"), readFile(t, captureOf(t, "boto"))
		if err := os.WriteFile(file, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		stdin, err := os.Open(file)
		if err != nil {
			t.Fatal(err)
		}
		defer stdin.Close()
		r := runOn(stdin, "-r", "-", flag, file)
		oneLine(t, r.err)
		if r.status != 2 || readFile(t, file) != data {
			t.Errorf("%s: exit status %d, %d bytes are left of %d", flag, r.status, len(readFile(t, file)), len(data))
		}
	}
}

// One bad file does not keep the others from being read.
func TestBadFileAmongGoodOnes(t *testing.T) {
	cut := filepath.Join(t.TempDir(), "cut")
	data := readFile(t, captureOf(t, "curl-eth"))
	if err := os.WriteFile(cut, []byte(data[:len(data)-10]), 0o600); err != nil {
		t.Fatal(err)
	}
	r := run("--format", "json", "-r", cut, os.DevNull, captureOf(t, "boto"))
	said, summary, _ := strings.Cut(r.err, "calls to the metadata service")
	if r.status != 1 || strings.Count(said, "imds-analyzer: ") != 2 || !strings.Contains(said, cut) || !strings.Contains(said, os.DevNull) {
		t.Errorf("exit status %d: %s", r.status, said)
	}
	if !strings.Contains(summary, "not all of the input could be read") {
		t.Errorf("the verdict does not know of it: %s", summary)
	}
	checkSame(t, callsOf(t, r.out), append(truth(t, "curl-eth"), truth(t, "boto")...))
}

// program returns the program as a process of its own.
func program(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	c := exec.CommandContext(t.Context(), "/proc/self/exe", args...)
	// Under -race a program waits a second at its end, unless told not to.
	c.Env = append(os.Environ(), asProgram+"=yes", "GORACE=atexit_sleep_ms=0")
	return c
}

// fed starts the program with pipes for standard input and output, and keeps what it
// says.
func fed(t *testing.T, args ...string) (c *exec.Cmd, in io.WriteCloser, out io.ReadCloser, said *bytes.Buffer) {
	t.Helper()
	said = &bytes.Buffer{}
	c = program(t, args...)
	c.Stderr = said
	in, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if out, err = c.StdoutPipe(); err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return c, in, out, said
}

func TestNoPermission(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "x.pcap")
	if err := os.WriteFile(file, nil, 0); err != nil {
		t.Fatal(err)
	}
	for _, open := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(open, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	good, err := os.Open(captureOf(t, "boto"))
	if err != nil {
		t.Fatal(err)
	}
	defer good.Close()
	for _, args := range [][]string{{"-r", file}, {"-r", "-", "-o", file}, {"-r", "-", "-w", filepath.Join(dir, "new")}} {
		var said bytes.Buffer
		c := program(t, args...)
		c.Dir, c.Stdin, c.Stderr = "/", good, &said
		if os.Getuid() == 0 { // for whom there is nothing forbidden
			c.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		}
		if c.Run() == nil || c.ProcessState.ExitCode() != 1 {
			t.Errorf("%q: %v", args, c.ProcessState)
		}
		oneLine(t, said.String())
		if !strings.Contains(said.String(), "permission denied") {
			t.Errorf("%q: %s", args, &said)
		}
	}
}

// Who reads the log has gone: that is told, and no signal.
func TestClosedPipe(t *testing.T) {
	for _, format := range []string{"json", "text"} {
		reader, writer, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		reader.Close()
		var said bytes.Buffer
		status := cli.Main([]string{"-r", captureOf(t, "boto"), "--format", format}, cli.Streams{Out: writer, Err: &said})
		writer.Close()
		if lines := strings.Count(said.String(), "imds-analyzer: "); status != 1 || lines != 1 || !strings.Contains(said.String(), "broken pipe") {
			t.Errorf("%s: exit status %d: %s", format, status, &said)
		}
	}
}

func TestCommandsThatSay(t *testing.T) {
	for _, tt := range []struct {
		args, says []string
	}{
		{[]string{"version"}, []string{"imds-analyzer ", "go1."}},
		{[]string{"--help"}, []string{"Examples:", "imds-analyzer -r ", "sudo imds-analyzer selftest", "Exit status: 0 done; 1 failed; 2 wrong usage; 3 done in part", "--endpoint"}},
		{[]string{"-h"}, []string{"Examples:"}},
		{[]string{"help"}, []string{"Examples:"}},
		{[]string{"help", "selftest"}, []string{"stand-in metadata service"}},
		{[]string{"selftest", "--help"}, []string{"stand-in metadata service", "Exit status: 0 "}},
		{[]string{"version", "--help"}, []string{"imds-analyzer version"}},
		{[]string{"completion", "bash"}, []string{"imds-analyzer", "complete "}},
		{[]string{"completion", "zsh"}, []string{"#compdef imds-analyzer"}},
		{[]string{"completion", "fish"}, []string{"complete -c imds-analyzer"}},
	} {
		r := run(tt.args...)
		if r.status != 0 || r.err != "" {
			t.Errorf("%q: exit status %d, %s", tt.args, r.status, r.err)
		}
		for _, text := range tt.says {
			if !strings.Contains(r.out, text) {
				t.Errorf("%q does not say %q: %s", tt.args, text, r.out)
			}
		}
	}
}

// terminal returns both ends of a pseudo-terminal.
func terminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// shown runs the program with a terminal as its standard output, and returns
// what came there.
func shown(t *testing.T, args ...string) string {
	t.Helper()
	master, slave := terminal(t)
	status := cli.Main(args, cli.Streams{In: strings.NewReader(""), Out: slave, Err: io.Discard})
	slave.Close()
	text, err := io.ReadAll(master)
	if status != 0 || !errors.Is(err, syscall.EIO) { // which is how it ends
		t.Fatalf("exit status %d, %v", status, err)
	}
	return strings.ReplaceAll(string(text), "\r\n", "\n")
}

// On a terminal there is coloured text, unless it is not wanted or there are no
// colours.
func TestTerminal(t *testing.T) {
	file, log := captureOf(t, "proxy-haproxy-any"), filepath.Join(t.TempDir(), "log")
	plain := strings.NewReplacer("\x1b[31m", "", "\x1b[32m", "", "\x1b[33m", "", "\x1b[0m", "")
	for _, args := range [][]string{{"-r", file}, {"-r", file, "--format", "text"}, {"-r", file, "-o", log}} {
		t.Setenv("NO_COLOR", "")
		t.Setenv("TERM", "vt220")
		colored := shown(t, args...)
		if strings.Count(colored, "\x1b[31mv1") != 1 || strings.Count(colored, "\x1b[32mv2") != 8 || undated(plain.Replace(colored)) != goldenText {
			t.Errorf("%q: %q", args, colored)
		}
		t.Setenv("NO_COLOR", "1")
		if got := undated(shown(t, args...)); got != goldenText {
			t.Errorf("%q with NO_COLOR: %q", args, got)
		}
	}
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "dumb")
	if got := undated(shown(t, "-r", file)); got != goldenText {
		t.Errorf("on a dumb terminal: %q", got)
	}
	if lines := readLog(t, readFile(t, log)); len(lines) != 2*(9+2) {
		t.Errorf("%d lines in the log", len(lines))
	}
	if got := shown(t, "-r", file, "--format", "json"); len(callsOf(t, got)) != 9 {
		t.Errorf("not the log: %s", got)
	}
}

// Lines for CloudWatch have a place, or it is said at once that there is none.
func TestEmbeddedOnTerminal(t *testing.T) {
	_, slave := terminal(t)
	defer slave.Close()
	var said bytes.Buffer
	status := cli.Main([]string{"--emf", "-i", "no such interface"}, cli.Streams{In: strings.NewReader(""), Out: slave, Err: &said})
	spendMemory()
	if oneLine(t, said.String()); status != 2 || !strings.Contains(said.String(), "give -o, --journald or --format json") {
		t.Errorf("exit status %d: %s", status, said.String())
	}
	if r := run("--emf", "-i", "no such interface"); r.status != 1 || strings.Contains(r.err, "--emf") {
		t.Errorf("without one: exit status %d: %s", r.status, r.err)
	}
}

// On a terminal whose size is known, calls that are alike share a line. All are
// shown, and what standard error says there is whole.
func TestTerminalFolds(t *testing.T) {
	folded := 0
	for _, name := range []string{"fallback-403", "ec2-tools-lo", "go-tools", "proxy-haproxy-any"} {
		lines := onScreen(t, 100, 24, "-r", captureOf(t, name))
		i := slices.IndexFunc(lines, func(line string) bool { return strings.HasSuffix(line, " to the metadata service") })
		if i < 0 {
			t.Fatalf("%s: no summary: %q", name, lines)
		}
		if counted, want := summarised(t, strings.Join(lines[i:], "\n")), count(truth(t, name)); counted != want {
			t.Errorf("%s: %+v in the summary, want %+v", name, counted, want)
		}
		if got, want := shownCounts(t, lines[:i]), count(truth(t, name)); got != want {
			t.Errorf("%s: %+v on the screen, want %+v: %q", name, got, want, lines[:i])
		}
		folded += len(truth(t, name)) - i
	}
	if folded < 8 {
		t.Errorf("%d lines less than calls", folded)
	}
	t.Setenv("TERM", "dumb")
	if lines := onScreen(t, 100, 24, "-r", captureOf(t, "go-tools")); strings.Contains(strings.Join(lines, ""), "×") {
		t.Errorf("a dumb terminal folds: %q", lines)
	}
}

// onScreen runs the program on a terminal of that size, on which its standard
// error is too, and returns the lines that can be read there at the end.
func onScreen(t *testing.T, columns, rows int, args ...string) []string {
	t.Helper()
	master, slave := terminal(t)
	size := unix.Winsize{Col: uint16(columns), Row: uint16(rows)}
	if err := unix.IoctlSetWinsize(int(slave.Fd()), unix.TIOCSWINSZ, &size); err != nil {
		t.Fatal(err)
	}
	screen := screentest.New(columns, rows, func(rune) int { return 1 })
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(screen, master)
		copied <- err
	}()
	status := cli.Main(args, cli.Streams{In: strings.NewReader(""), Out: slave, Err: slave})
	slave.Close()
	if err := <-copied; status == 1 || !errors.Is(err, syscall.EIO) { // which is how it ends
		t.Fatalf("exit status %d, %v", status, err)
	}
	return screen.Lines()
}

var shownCall = regexp.MustCompile(`^[0-9:.]{12}  (v1|v2|unknown) .*?(?:  ×([0-9]+))?$`)

// shownCounts adds up what lines of calls say, among those of dates.
func shownCounts(t *testing.T, lines []string) counts {
	t.Helper()
	var calls []call
	for _, line := range lines {
		if dateLine.MatchString(line) {
			continue
		}
		found := shownCall.FindStringSubmatch(line)
		if found == nil {
			t.Fatalf("not the line of a call: %q", line)
		}
		n := 1
		if found[2] != "" {
			var err error
			if n, err = strconv.Atoi(found[2]); err != nil {
				t.Fatal(err)
			}
		}
		calls = append(calls, slices.Repeat([]call{{version: found[1]}}, n)...)
	}
	return count(calls)
}

// A signal ends a capture that would go on, and nothing of it is lost.
func TestSignalEnds(t *testing.T) {
	t.Parallel()
	for _, sent := range []os.Signal{syscall.SIGINT, syscall.SIGTERM} {
		c, in, out, said := fed(t, "-r", "-", "--format", "json")
		if _, err := io.WriteString(in, readFile(t, captureOf(t, "proxy-haproxy-any"))); err != nil {
			t.Fatal(err)
		}
		log := &strings.Builder{}
		for lines := bufio.NewScanner(out); lines.Scan(); {
			fmt.Fprintln(log, lines.Text())
			if strings.Count(log.String(), "imds.call") == 9 && strings.Contains(lines.Text(), "imds.call") {
				c.Process.Signal(sent) // once: a second one ends it at once
			}
		}
		if err := c.Wait(); err != nil {
			t.Errorf("%v: %v: %s", sent, err, said)
		}
		checkSame(t, callsOf(t, log.String()), truth(t, "proxy-haproxy-any"))
		if got := summarised(t, said.String()); got != (counts{v1: 1, v2: 8}) {
			t.Errorf("%v: %s", sent, said)
		}
	}
}
