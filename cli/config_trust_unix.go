//go:build unix

package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// othersWrite are the permissions to write of everybody but the owner.
const othersWrite fs.FileMode = 0o022

// mistrust is why root must not do what the file says: somebody else could have written
// it, and --enrich runs commands. Other users are theirs to harm.
func mistrust(info fs.FileInfo, user int) error {
	if user != 0 {
		return nil
	}
	if owner, ok := info.Sys().(*syscall.Stat_t); ok && owner.Uid != 0 {
		return fmt.Errorf("it belongs to the user with uid %d, and root runs what it names (chown root makes it root's)", owner.Uid)
	}
	if info.Mode().Perm()&othersWrite != 0 {
		return errors.New("others than root can write to it, and root runs what it names (chmod go-w ends that)")
	}
	return nil
}
