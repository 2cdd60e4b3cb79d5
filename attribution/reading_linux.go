package attribution

import (
	"bytes"
	"path"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// look is a look at a process in two steps, so that of several that may end any
// moment the most important can be read of all first. The directory names the
// process for good: whatever takes over its pid is not found in it.
type look struct {
	proc    proc
	dir     int
	reading *reading
	buffer  []byte
}

// lookBuffer holds the arguments that are kept, one byte more to tell that
// there are more, and any other file.
const lookBuffer = MaxArgsBytes + 1

// begin reads what the process is, without its arguments if they are known. It
// returns nil if the process is gone.
func (p proc) begin(pid int, known bool, buffer []byte) *look {
	began := monotonic()
	dir, err := unix.Open(p.path(pid), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	l := &look{p, dir, &reading{process: Process{PID: pid}, began: began}, buffer}
	if !known {
		l.arguments("")
	}
	l.reading.process.setExecutable(l.executable("")) // also of one that is known: it may have been replaced since
	l.credentials()
	l.cgroup("")
	l.origin("")
	l.reading.network = l.link("ns/net")
	l.reading.ended = monotonic()
	return l
}

// thread reads in which network namespace a thread of the process is, which can have gone
// to another one by itself (setns(2)). What is known of the process stays if that fails.
//
// It is found as /proc/TID, too, and is not looked for below the process: where both end at
// once, one directory in the other, the kernel clears them away again and again, on all
// processors for up to seconds (d_invalidate, fs/dcache.c; seen with Linux 6.18).
func (l *look) thread(tid int) {
	if network := l.proc.networkNamespace(strconv.Itoa(tid)); network != "" && isThread(l.reading.process.PID, tid) {
		l.reading.network = network
	}
	l.reading.ended = monotonic()
}

// isThread reports whether a thread is one of the process's. Signal 0 is none (tgkill(2)).
func isThread(pid, tid int) bool {
	err := unix.Tgkill(pid, tid, 0)
	return err == nil || err == unix.EPERM
}

// readAtOnce reads a process whole. It returns nil if that is gone.
func (p proc) readAtOnce(pid int) *reading {
	l := p.begin(pid, false, make([]byte, lookBuffer))
	if l == nil {
		return nil
	}
	l.finish()
	return l.reading
}

func (l *look) credentials() {
	status := parseStatus(l.read("status"))
	l.reading.userID, l.reading.process.NamespacePID = status.user, status.namespacePID
}

func (l *look) cgroup(dir string) {
	l.reading.process.Cgroup = parseCgroup(l.read(dir + "cgroup"))
}

func (l *look) origin(dir string) {
	r := l.reading
	line := l.read(dir + "stat")
	stat, err := parseStat(line)
	if err != nil {
		return
	}
	r.start, r.parent, r.kernel, r.known = stat.start, stat.parent, stat.kernel, true
	r.process.Start = l.proc.started(stat)
	r.process.Name = programName(parseStatName(line), r.process.Args)
}

// glance reads no more than what a process runs: with four to ten system calls
// it is over soon. What could not be read is left out. Of a process that has ended when it
// could be looked at it is all that is known: also whether the file is the host's.
func (p proc) glance(told *Process, readsArgs bool, buffer []byte) *reading {
	began := monotonic()
	l := &look{p, unix.AT_FDCWD, &reading{process: Process{PID: told.PID}, began: began}, buffer}
	dir := p.path(told.PID) + "/"
	if readsArgs {
		l.arguments(dir)
	}
	l.reading.process.setExecutable(l.executable(dir))
	if told.Name == "" {
		l.origin(dir)
	}
	l.reading.ended = monotonic()
	return l.reading
}

// addCgroup reads the cgroup, too. For each process that starts a program it would
// take as long as all else.
func (p proc) addCgroup(r *reading, buffer []byte) {
	l := &look{p, unix.AT_FDCWD, r, buffer}
	l.cgroup(p.path(r.process.PID) + "/")
	r.ended = monotonic()
}

func (l *look) arguments(dir string) {
	l.reading.process.Args, l.reading.process.ArgsTruncated = l.args(dir, MaxArgsBytes, l.proc.memories.hurriedArguments)
}

// args has the arguments read, in time.
func (l *look) args(dir string, limit int, read func(fd int) string) ([]string, bool) {
	fd, err := unix.Openat(l.dir, dir+"cmdline", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	return bound(splitArgs(read(fd)), limit)
}

// executable looks at what a process runs, also if that was removed (proc_pid_exe(5)): by
// what it is called, and what it is. Both are of one file, which is held for that. Else,
// if the process ended between two looks at it, the name would be all that is known, and
// could be a name for anything where the process has mounts of its own.
//
// A file that is mounted by itself is called / once it is not any more, as when the last process
// with these mounts has ended (d_path() in fs/d_path.c): then no name is known, either.
func (l *look) executable(dir string) (name string, file *File) {
	fd, err := unix.Openat(l.dir, dir+"exe", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return l.link(dir + "exe"), nil // in a copy of /proc the name leads nowhere
	}
	defer unix.Close(fd)
	held := selfFD + strconv.Itoa(fd)
	if name = l.link(held); name == "/" {
		return "", nil
	}
	return name, fileAt(unix.AT_FDCWD, held)
}

// finish reads the rest.
func (l *look) finish() {
	defer unix.Close(l.dir)
	l.reading.process.WorkingDirectory = l.link("cwd")
	l.reading.process.HostRoot = l.proc.isHostRoot(l.dir, "")
	l.reading.ended = monotonic()
}

// read returns the beginning of a file, until the next read: whole lines if there is more.
// Part of a number or a path would pass for another.
func (l *look) read(name string) []byte {
	fd, err := unix.Openat(l.dir, name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, l.buffer)
	if err != nil {
		return nil
	}
	if n == len(l.buffer) {
		n = bytes.LastIndexByte(l.buffer, '\n') + 1
	}
	return l.buffer[:n]
}

func (l *look) link(name string) string {
	n, err := unix.Readlinkat(l.dir, name, l.buffer)
	if err != nil {
		return ""
	}
	return string(l.buffer[:n])
}

// splitArgs reads /proc/PID/cmdline (proc_pid_cmdline(5)).
func splitArgs(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(text, "\x00"), "\x00")
}

// programName is the name of a program that the kernel cut off after 15 bytes
// (TASK_COMM_LEN, linux/sched.h), as far as its arguments tell it.
func programName(name string, args []string) string {
	const cutOff = 15
	if len(name) == cutOff && len(args) > 0 {
		if whole := path.Base(args[0]); strings.HasPrefix(whole, name) {
			return whole
		}
	}
	return name
}
