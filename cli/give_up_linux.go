package cli

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// hasRights reports whether the process has any that an ordinary user has not.
func hasRights() bool { return os.Geteuid() == 0 || len(capabilities()) > 0 }

// readAs is the user that reads for root: nobody, whatever that is called.
func readAs() *account {
	if os.Geteuid() != 0 {
		return nil
	}
	return &account{name: nobody, uid: nobodyID, gid: nobodyID}
}

// become makes the process, in all its threads and for good, the user's, or leaves it the
// one that it is, with no other capabilities than these. Where it may not become another
// it loses the capabilities all the same.
func become(to *account, keep []string) error {
	if err := seesItsThreads(); err != nil {
		return err
	}
	set, err := held(keep)
	if err != nil {
		return err
	}
	if to == nil {
		return errors.Join(closeToOthers(), forbidNew(), dropRest(set))
	}
	// The bounding set is root's to make use of. It is left alone, as each capability in
	// it would have all threads stop once: 4 ms in all.
	return errors.Join(hideFiles(), forbidNew(), to.become(), keepOnly(set))
}

// become is for root, whose capabilities go with it (capabilities(7)).
func (a *account) become() error {
	groups := make([]int, len(a.groups))
	for i, group := range a.groups {
		groups[i] = int(group)
	}
	err := syscall.Setgroups(groups)
	if err == nil {
		err = syscall.Setresgid(int(a.gid), int(a.gid), int(a.gid))
	}
	if err == nil {
		err = syscall.Setresuid(int(a.uid), int(a.uid), int(a.uid))
	}
	if err != nil {
		return fmt.Errorf("become %s: %w", a.name, err)
	}
	return nil
}

// keepOnly leaves the process with these capabilities.
func keepOnly(set *cap.Set) error {
	if err := set.SetProc(); err != nil {
		return fmt.Errorf("set the capabilities: %w", err)
	}
	return nil
}

// ownerOf is the user of a directory, who can write in it; nil for root, and if it cannot
// be found out.
func ownerOf(directory string) *account {
	info, err := os.Stat(directory)
	if err != nil || os.Geteuid() != 0 {
		return nil
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	if !ok || stat.Uid == 0 {
		return nil
	}
	return &account{name: fmt.Sprintf("the user %d", stat.Uid), uid: stat.Uid, gid: stat.Gid}
}
