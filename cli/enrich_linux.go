package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"slices"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

// The user that root's commands run as, unless told otherwise.
const (
	nobody   = "nobody"
	nobodyID = 65534 // also where no name is known: the kernel's overflow id (proc(5))
)

// runAs has the command run as the user, by name or uid. Without one that is
// nobody for root, and else the program's own.
func (c *command) runAs(name string) (err error) {
	if os.Geteuid() != 0 {
		return checkSelf(name)
	}
	if c.user, err = lookUp(name); err != nil {
		return err
	}
	if c.user.uid == 0 {
		c.user = nil
		return nil
	}
	for _, needed := range c.capabilities() {
		if !slices.Contains(capabilities(), needed) {
			return fmt.Errorf("to run commands as %s takes %s: run it with that, or give --enrich-user root", c.user.name, needed)
		}
	}
	return nil
}

// checkSelf refuses every user but the program's own.
func checkSelf(name string) error {
	if name == "" {
		return nil
	}
	a, err := lookUp(name)
	if err == nil && int(a.uid) != os.Geteuid() {
		err = fmt.Errorf("--enrich-user %s: only root runs commands as other users", name)
	}
	return err
}

// capabilities are those that it takes to run and to end the command, in the
// words of capabilities(7).
func (c *command) capabilities() []string {
	if c == nil || c.user == nil {
		return nil
	}
	return []string{"CAP_KILL", "CAP_SETGID", "CAP_SETUID"}
}

// lookUp finds a user with the groups of passwd(5) and group(5).
func lookUp(name string) (*account, error) {
	if name == "" {
		a, err := lookUp(nobody)
		if unknown := user.UnknownUserError(""); errors.As(err, &unknown) {
			return &account{nobody, nobodyID, nobodyID, nil}, nil
		}
		return a, err
	}
	found, err := user.Lookup(name)
	if _, number := strconv.ParseUint(name, 10, 32); err != nil && number == nil {
		found, err = user.LookupId(name)
	}
	if err != nil {
		return nil, fmt.Errorf("--enrich-user %s: %w", name, err)
	}
	return accountOf(found)
}

func accountOf(u *user.User) (*account, error) {
	names, err := u.GroupIds()
	if err != nil {
		return nil, fmt.Errorf("--enrich-user %s: the groups: %w", u.Username, err)
	}
	var ids []uint32
	for _, name := range append([]string{u.Uid, u.Gid}, names...) {
		id, err := strconv.ParseUint(name, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("--enrich-user %s: %w", u.Username, err)
		}
		ids = append(ids, uint32(id))
	}
	return &account{u.Username, ids[0], ids[1], ids[2:]}, nil
}

// attributes give the command a session of its own: it has no terminal, does not
// share the precedence of ours (sched(7), "The autogroup feature"), and is a
// group of processes that can be ended together. It ends with the program.
func (c *command) attributes() *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setsid: true, Pdeathsig: unix.SIGKILL}
	if c.user != nil {
		a.Credential = &syscall.Credential{Uid: c.user.uid, Gid: c.user.gid, Groups: c.user.groups}
	}
	return a
}

// wait waits for the command's end, or ends it with ctx. Then what it has left
// behind in its group is ended, too.
func wait(ctx context.Context, cmd *exec.Cmd) error {
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		awaitEnd(cmd.Process.Pid)
	}()
	select {
	case <-ended:
	case <-ctx.Done():
	}
	// Nobody has waited for it yet, so its pid is the group's and no other's. That
	// there is nobody left to be ended is no error.
	_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
	<-ended
	return cmd.Wait()
}

// awaitEnd returns when a child has ended, and leaves it to be waited for.
func awaitEnd(pid int) {
	for {
		err := unix.Waitid(unix.P_PID, pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			return
		}
	}
}

// forbidGains has the commands that are run gain no privileges, where nothing else
// sees to that.
func forbidGains() error {
	if err := seesItsThreads(); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	return forbidNew()
}
