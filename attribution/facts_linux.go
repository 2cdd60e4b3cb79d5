package attribution

import (
	"context"

	"github.com/shirou/gopsutil/v3/common"
	"github.com/shirou/gopsutil/v3/process"
	"golang.org/x/sys/unix"
)

// facts reads what is to be known of a process.
type facts struct {
	proc  proc
	users *users
	root  context.Context // tells gopsutil where /proc is
}

func newFacts(p proc, passwd string) facts {
	where := common.EnvMap{common.HostProcEnvKey: p.root}
	return facts{proc: p, users: &users{file: passwd}, root: context.WithValue(context.Background(), common.EnvKey, where)}
}

// identity reads what names a program, which is gone when the process is. The
// process is the one that started at the stat's time: false if it ended
// meanwhile, whatever has its pid now, or runs another program.
func (f facts) identity(pid int, s procStat, maxArgs int) (Process, bool) {
	p := Process{PID: pid, Start: f.proc.started(s)}
	// A process can have gigabytes of arguments (PR_SET_MM_MAP, prctl(2)): gopsutil, which
	// would read them all, also for a name, is not asked for them.
	l := &look{proc: f.proc, dir: unix.AT_FDCWD, buffer: make([]byte, lookBuffer)}
	dir := f.proc.path(pid) + "/"
	p.Args, p.ArgsTruncated = l.args(dir, maxArgs, f.proc.memories.arguments)
	p.Name = programName(parseStatName(l.read(dir+"stat")), p.Args)
	p.setExecutable(l.executable(dir))
	return p, f.alive(pid, s)
}

// alive reports whether the process that started at the stat's time still is, and runs what it
// ran then: what is read of two programs must not pass for that of one.
func (f facts) alive(pid int, s procStat) bool {
	now, err := f.proc.stat(pid)
	return err == nil && now.start == s.start && now.runsWhat(s)
}

// runsWhat reports whether the process runs what it ran when it was seen before, as far as that
// shows: execve(2) gives it another stack. One that has ended has none.
func (s procStat) runsWhat(before procStat) bool {
	return s.stack == before.stack || s.stack == 0 || before.stack == 0
}

// complete adds what else is known of the process, unless it has ended or runs another program.
func (f facts) complete(h holder) Process {
	p := h.process
	source := process.Process{Pid: int32(p.PID)}
	p.WorkingDirectory, _ = source.CwdWithContext(f.root)
	status := f.proc.status(p.PID)
	p.NamespacePID = status.namespacePID
	p.User = f.user(status.user)
	p.Cgroup = f.proc.cgroup(p.PID)
	p.HostRoot = f.proc.isHostRoot(unix.AT_FDCWD, f.proc.path(p.PID)+"/")
	if !f.alive(p.PID, h.stat) {
		return h.process
	}
	return p
}

func (f facts) user(id *uint32) *User {
	if id == nil {
		return nil
	}
	return &User{ID: *id, Name: f.users.name(*id)}
}
