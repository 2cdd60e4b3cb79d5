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

// become makes the process, in all its threads and for good, the user's, who has no
// capabilities, or leaves it the one that it is, with no others than these. Where it
// cannot become the user it is left that, too, and why is told: it has lost the rest.
func become(to *account, keep []string) (stays, err error) {
	if err := seesItsThreads(); err != nil {
		return nil, err
	}
	if to != nil {
		if err := errors.Join(hideFiles(), forbidNew()); err != nil {
			return nil, err
		}
		// The bounding set is root's to make use of. It is left alone, as each capability in
		// it would have all threads stop once: 4 ms in all.
		if stays = to.become(); stays == nil {
			return nil, keepOnly(cap.NewSet())
		}
	}
	set, err := held(keep)
	if err != nil {
		return nil, err
	}
	return stays, errors.Join(hideFiles(), forbidRoot(), forbidNew(), bound(), keepOnly(set))
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
	switch {
	case errors.Is(err, syscall.EPERM):
		return fmt.Errorf("become %s: %w; run it as another user, or with CAP_SETUID and CAP_SETGID", a.name, err)
	case err != nil:
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
