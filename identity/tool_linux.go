package identity

import (
	"os/exec"
	"syscall"
)

// setApart gives the command a session of its own: signals from the terminal do
// not reach it, it is killed with all that it has started, and it has no part in
// the priority of our session (sched(7), the autogroup feature).
func setApart(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
