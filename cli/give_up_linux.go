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
	if to != nil {
		keep = nil // goes with root
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

// overrideCapability is what it takes to write where only others may.
const overrideCapability = "CAP_DAC_OVERRIDE"

// writerIn is who can give files of a directory their names, by its mode alone: its
// owner, nil for the process's own user. Where the owner cannot, or is not known, as
// one that the user namespace does not have, the process stays its own user's, and it
// takes the capabilities.
func writerIn(directory *os.Root) (to *account, keep []string) {
	keep = []string{overrideCapability}
	info, err := directory.Stat(".")
	if err != nil {
		return nil, keep
	}
	stat, ok := info.Sys().(*syscall.Stat_t)
	const all = 0o700
	switch own := uint32(os.Geteuid()); {
	case !ok || info.Mode()&all != all || stat.Uid == nobodyID:
		return nil, keep
	case stat.Uid == own:
		return nil, nil
	case own != 0:
		return nil, keep
	}
	return &account{name: fmt.Sprintf("the user %d", stat.Uid), uid: stat.Uid, gid: stat.Gid}, keep
}
