package identity

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

const mountLines = `22 1 259:1 / / rw,relatime shared:1 - ext4 /dev/root rw
30 22 0:25 / /sys/fs/fuse/connections rw,nosuid - fusectl fusectl rw
41 22 0:50 / /home/x/photos rw,nosuid,nodev,relatime shared:9 - fuse.sshfs x@photos:/ rw,user_id=1000,group_id=1000,allow_other
42 22 0:51 / /mnt/bucket rw,nosuid - fuse.s3fs s3fs rw,user_id=0,group_id=0,allow_other
43 22 0:52 / /media/disk rw - fuseblk /dev/sdb1 rw,user_id=1001,group_id=0
44 22 0:53 / /efs rw shared:2 master:1 - nfs4 10.0.0.1:/ rw,vers=4.1,user_id=7
45 22 300:4097 / /with\040-\040blank rw,x=- - fuse s rw,user_id=4294967294
46 22 0:54 / /of/nobody rw - fuse s rw
47 22 nothing - fuse s rw,user_id=7
48 22 0:55 / /cut rw - fuse s
49 22 0:56 / /empty/source rw - fuse  rw,user_id=1000
`

func TestUsersMounts(t *testing.T) {
	got := slices.Sorted(maps.Keys(usersMounts(strings.NewReader(mountLines))))
	want := []uint64{unix.Mkdev(0, 50), unix.Mkdev(0, 52), unix.Mkdev(0, 56), unix.Mkdev(300, 4097)}
	if !slices.Equal(got, want) {
		t.Errorf("%d are users', want %d", got, want)
	}
}

func FuzzUsersMounts(f *testing.F) {
	f.Add(mountLines)
	f.Fuzz(func(t *testing.T, text string) {
		if lines := strings.Count(text, "\n") + 1; len(usersMounts(strings.NewReader(text))) > lines {
			t.Errorf("more than in %d lines", lines)
		}
	})
}

// ofUsers are mounts by which the file system with the file is a user's, or is not.
func ofUsers(t *testing.T, user int, name string) *mounts {
	t.Helper()
	var none *mounts
	s, err := none.follow("/", name)
	if err != nil {
		t.Fatal(err)
	}
	line := fmt.Sprintf("1 2 %d:%d / / rw - fuse s rw,user_id=%d\n", unix.Major(s.Device), unix.Minor(s.Device), user)
	list := filepath.Join(t.TempDir(), "mountinfo")
	if err := os.WriteFile(list, []byte(line), 0o600); err != nil {
		t.Fatal(err)
	}
	file, err := os.Open(list)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return &mounts{lists: []*mountList{{file: file}}}
}

// What is on a user's file system is not looked at, by whatever way a path leads there.
func TestUsersFilesAreNotLookedAt(t *testing.T) {
	root, _ := hostWith(t)
	env, missing := filepath.Join(root, "usr/bin/env"), filepath.Join(root, "nothing")
	for user, want := range map[int]bool{0: true, 1000: false} {
		m := ofUsers(t, user, env)
		_, looked := m.lookAt(env)
		_, nearest := m.lookAtNearest(root, "/bin/env")
		if looked != want || nearest != want || m.exists(env) != want || m.exists(missing) {
			t.Errorf("by user %d: %v, %v, %v", user, looked, nearest, m.exists(env))
		}
		if _, err := m.follow(root, "/up/bin/env"); (err == errUsers) == want {
			t.Errorf("by user %d: %v", user, err)
		}
	}
}

// mountOfUser mounts a file system that nobody serves.
func mountOfUser(t *testing.T) (directory string) {
	t.Helper()
	directory = t.TempDir()
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { unix.Close(fd) })
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=1000,group_id=1000,allow_other", fd)
	if err := unix.Mount("silent", directory, "fuse", 0, options); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Unmount(directory, unix.MNT_DETACH|unix.MNT_FORCE) })
	return directory
}

// The kernel's own list is read, and again when something is mounted: nobody else may have
// taken note of that.
func TestMountsAreSeen(t *testing.T) {
	m := newMounts()
	if len(m.lists) == 0 || m.isUsers(^uint64(0)) {
		t.Errorf("%d lists", len(m.lists))
	}
	for range 5 {
		directory := mountOfUser(t)
		if _, err := m.follow("/", directory); err != errUsers {
			t.Errorf("what is mounted is looked at: %v", err)
		}
	}
	for _, list := range m.lists {
		list.file.Close()
	}
	if (*mounts)(nil).isUsers(0) {
		t.Error("without a list there are some")
	}
}
