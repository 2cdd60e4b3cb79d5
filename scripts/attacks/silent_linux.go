package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// silent is a file system (fuse(4)) that answers its own user, and nobody else: who else
// asks it waits until it is no more. It has a directory with a few files.
type silent struct {
	fd    int
	names []string // of the files, whose numbers come behind the directory's
	texts [][]byte
}

// Operations of a file system in user space (linux/fuse.h): those that it has, and those by
// which the kernel says that something is over, whoever it was that began it.
const (
	fuseLookup      = 1
	fuseForget      = 2
	fuseGetattr     = 3
	fuseOpen        = 14
	fuseRead        = 15
	fuseRelease     = 18
	fuseFlush       = 25
	fuseInit        = 26
	fuseOpendir     = 27
	fuseReleasedir  = 29
	fuseAccess      = 34
	fuseInterrupt   = 36
	fuseBatchForget = 42
)

// fuseParallel: who looks for a file need not wait for others that do (FUSE_PARALLEL_DIROPS).
const fuseParallel = 1 << 18

// fuseRequest is the head of a request (struct fuse_in_header).
type fuseRequest struct {
	Length, Operation      uint32
	Unique, Node           uint64
	User, Group, PID, Rest uint32
}

// fuseAttributes are those of a file (struct fuse_attr).
type fuseAttributes struct {
	Inode, Size, Blocks, Accessed, Modified, Changed uint64
	AccessedNs, ModifiedNs, ChangedNs                uint32
	Mode, Links, User, Group, Device, BlockSize      uint32
	Flags                                            uint32
}

// fuseBuffer is more than the kernel wants to have for a request, 8 KiB.
const fuseBuffer = 64 << 10

// serveSilent answers, on descriptor 3, until the file system is unmounted. It is a process
// of its own: one that waited for itself would never end.
func serveSilent(program string) error {
	text, err := os.ReadFile(program)
	if err != nil {
		return err
	}
	s := &silent{fd: 3, names: []string{"caller", silentScript}, texts: [][]byte{text, []byte(scriptThere)}}
	buffer := make([]byte, fuseBuffer)
	for {
		n, err := unix.Read(s.fd, buffer)
		switch err {
		case nil:
		case unix.EINTR, unix.ENOENT: // who has asked does not wait any more
			continue
		case unix.ENODEV: // it is unmounted
			return nil
		default:
			return err
		}
		var r fuseRequest
		if _, err := binary.Decode(buffer[:n], binary.NativeEndian, &r); err == nil {
			s.take(r, buffer[binary.Size(r):n])
		}
	}
}

// take answers a request, or does not.
func (s *silent) take(r fuseRequest, body []byte) {
	switch r.Operation {
	case fuseForget, fuseBatchForget, fuseInterrupt: // have no answer
	case fuseInit, fuseRead, fuseRelease, fuseReleasedir, fuseFlush:
		s.answer(r, body)
	default:
		if r.User == attackerUser {
			s.answer(r, body)
		}
	}
}

// answer answers a request (struct fuse_out_header).
func (s *silent) answer(r fuseRequest, body []byte) {
	problem, answer := s.answerTo(r, body)
	head := packed(uint32(16+len(answer)), -int32(problem), r.Unique)
	_, _ = unix.Write(s.fd, append(head, answer...)) // fails if who has asked does not wait any more
}

func (s *silent) answerTo(r fuseRequest, body []byte) (syscall.Errno, []byte) {
	switch r.Operation {
	case fuseInit: // version 7.31, and a page a write (struct fuse_init_out)
		return 0, packed([5]uint32{7, 31, 0, fuseParallel}, uint32(4096), [10]uint32{})
	case fuseLookup:
		name, _, _ := bytes.Cut(body, []byte{0})
		return s.lookUp(string(name))
	case fuseGetattr: // to be asked again each time (struct fuse_attr_out)
		return 0, packed([2]uint64{}, s.attributes(r.Node))
	case fuseOpen, fuseOpendir:
		return 0, packed([2]uint64{})
	case fuseRead:
		return 0, s.read(r.Node, body)
	case fuseAccess, fuseRelease, fuseReleasedir, fuseFlush:
		return 0, nil
	}
	return unix.ENOSYS, nil
}

// directoryNode is the number of the file system's root.
const directoryNode = 1

// lookUp looks for a name, which is to be asked for again each time (struct fuse_entry_out).
func (s *silent) lookUp(name string) (syscall.Errno, []byte) {
	i := slices.Index(s.names, name)
	if i < 0 {
		return unix.ENOENT, nil
	}
	node := uint64(directoryNode + 1 + i)
	return 0, packed(node, [4]uint64{}, s.attributes(node))
}

func (s *silent) attributes(node uint64) fuseAttributes {
	a := fuseAttributes{Inode: node, Mode: unix.S_IFDIR | 0o755, Links: 2, BlockSize: 4096}
	if text := s.text(node); text != nil {
		a.Mode, a.Links, a.Size = unix.S_IFREG|0o755, 1, uint64(len(text))
	}
	return a
}

// text is that of a file, nil if it is none.
func (s *silent) text(node uint64) []byte {
	if i := node - directoryNode - 1; i < uint64(len(s.texts)) {
		return s.texts[i]
	}
	return nil
}

// read is what is asked for of a file (struct fuse_read_in).
func (s *silent) read(node uint64, body []byte) []byte {
	var asked struct {
		File, Offset uint64
		Size         uint32
	}
	text := s.text(node)
	if _, err := binary.Decode(body, binary.NativeEndian, &asked); err != nil || asked.Offset > uint64(len(text)) {
		return nil
	}
	text = text[asked.Offset:]
	return text[:min(len(text), int(asked.Size))]
}

// packed are values one behind the other, as the kernel has them.
func packed(values ...any) (text []byte) {
	for _, value := range values {
		text, _ = binary.Append(text, binary.NativeEndian, value)
	}
	return text
}

// What the callers have on the file system.
const (
	silentDirectory = "silent"
	silentScript    = "script"
)

// scriptThere makes the request that it is given.
const scriptThere = `exec 3<>/dev/tcp/` + service4 + `/80 && printf '%s' "$1" >&3 && read -r line <&3`

// laySilent mounts it, as a user would, and makes sure that it does not answer.
func laySilent(_ *stage, directory string) (after func(), err error) {
	mount := filepath.Join(directory, silentDirectory)
	device, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer device.Close()
	server := exec.Command(self, roleSilent, self)
	server.ExtraFiles, server.Stderr = []*os.File{device}, os.Stderr
	server.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	options := fmt.Sprintf("fd=%d,rootmode=40000,user_id=%d,group_id=%d,allow_other", device.Fd(), attackerUser, attackerUser)
	if err := errors.Join(os.Mkdir(mount, 0o755), unix.Mount("silent", mount, "fuse", unix.MS_NOSUID|unix.MS_NODEV, options)); err != nil {
		return nil, err
	}
	if err := server.Start(); err != nil {
		return nil, errors.Join(err, unix.Unmount(mount, unix.MNT_FORCE|unix.MNT_DETACH))
	}
	asked := make(chan error, 1)
	go func() { _, err := os.Stat(filepath.Join(mount, "unheard")); asked <- err }() // no name that others wait for
	for deadline := time.Now().Add(startTimeout); err == nil && waitingIn(os.Getpid()) == 0; time.Sleep(10 * time.Millisecond) {
		if len(asked) > 0 || time.Now().After(deadline) {
			err = errors.New("the file system answers, or nobody can be seen to wait for it")
		}
	}
	after = func() {
		_ = unix.Unmount(mount, unix.MNT_FORCE|unix.MNT_DETACH)
		_ = server.Wait()
		<-asked
	}
	if err != nil {
		after()
	}
	return after, err
}

// startInSilence is a caller that has its program, its directory, its script or its root
// there.
func startInSilence(ctx context.Context, directory, kind, path string, i int) (*exec.Cmd, error) {
	cmd, err := startKind(ctx, directory, kind, path, i)
	if err != nil {
		return nil, err
	}
	mount := filepath.Join(directory, silentDirectory)
	switch i % 4 {
	case 0:
		cmd.Path = filepath.Join(mount, "caller")
	case 1:
		cmd.Dir = mount
	case 2:
		cmd.Path = shell
		cmd.Args = []string{shell, filepath.Join(mount, silentScript), requestFor(path, "script")}
	case 3:
		cmd.Args = []string{self, rolePretend, kindSilentRoot, path, mount}
		own := []syscall.SysProcIDMap{{ContainerID: 0, HostID: attackerUser, Size: 1}}
		cmd.SysProcAttr = &syscall.SysProcAttr{
			Cloneflags: syscall.CLONE_NEWUSER, UidMappings: own, GidMappings: own,
			Credential: &syscall.Credential{NoSetGroups: true}, Pdeathsig: syscall.SIGKILL,
		}
	}
	return cmd, nil
}

// callFromRoot calls with the directory for its root.
func callFromRoot(path, directory string) error {
	return errors.Join(unix.Chroot(directory), callAs(path, "root"))
}

// noneWaits: no thread of the program waits for an answer, which would keep it from ending.
func noneWaits(s *stage, _ string, _ []toldCall) []string {
	if waiting := waitingIn(s.program.cmd.Process.Pid); waiting > 0 {
		return []string{fmt.Sprintf("%d threads of the program wait for the file system", waiting)}
	}
	return nil
}

// waitingIn is how many threads of a process wait for an answer of a file system in user
// space (proc_pid_wchan(5); fs/fuse/dev.c). They cannot even be killed.
func waitingIn(pid int) (threads int) {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/wchan", pid))
	for _, name := range names {
		if where, err := os.ReadFile(name); err == nil && string(where) == "request_wait_answer" {
			threads++
		}
	}
	return threads
}

// mayBeSilent: it is the program there, or the shell.
func mayBeSilent(directory, executable string) bool {
	return isShell(executable) || executable == filepath.Join(directory, silentDirectory, "caller")
}
