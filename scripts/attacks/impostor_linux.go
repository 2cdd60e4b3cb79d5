package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// callNamed calls in a thread that has another program's name (PR_SET_NAME, prctl(2)), as
// its first thread has, too, if the process is to be called so.
func callNamed(process bool, path string) error {
	runtime.LockOSThread()
	if process {
		if err := os.WriteFile("/proc/self/comm", []byte(otherName), 0); err != nil {
			return err
		}
	}
	name, err := unix.BytePtrFromString(otherName)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(name)), 0, 0, 0); err != nil {
		return err
	}
	return callAs(path, "named")
}

// memoryMap is struct prctl_mm_map of linux/prctl.h: what the kernel tells of a process's
// memory.
type memoryMap struct {
	startCode, endCode, startData, endData, startBrk, brk, startStack uint64
	argStart, argEnd, envStart, envEnd                                uint64
	auxv                                                              uintptr
	auxvSize                                                          uint32
	exe                                                               int32
}

// mapFields are the places of the fields in /proc/PID/stat (proc_pid_stat(5)), from the
// third on.
func mapFields(m *memoryMap) map[int]*uint64 {
	return map[int]*uint64{
		26: &m.startCode, 27: &m.endCode, 28: &m.startStack, 45: &m.startData, 46: &m.endData, 47: &m.startBrk,
		48: &m.argStart, 49: &m.argEnd, 50: &m.envStart, 51: &m.envEnd,
	}
}

// ownMap is that of this process, with no executable.
func ownMap() (*memoryMap, error) {
	stat, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		return nil, err
	}
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	m := &memoryMap{exe: -1}
	for n, to := range mapFields(m) {
		if n-3 >= len(fields) {
			return nil, errors.New("/proc/self/stat is short")
		}
		if *to, err = strconv.ParseUint(fields[n-3], 10, 64); err != nil {
			return nil, err
		}
	}
	brk, _, _ := unix.Syscall(unix.SYS_BRK, 0, 0, 0)
	m.brk = uint64(brk)
	return m, nil
}

// takeMap has the kernel tell other arguments and another executable of this process:
// PR_SET_MM_MAP takes CAP_CHECKPOINT_RESTORE for an executable, if only in a user namespace
// of one's own.
func takeMap(executable string) error {
	fd, err := unix.Open(executable, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	text := []byte(executable + "\x00--honest\x00")
	at, err := mmap(0, uintptr(os.Getpagesize()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS, -1)
	if err != nil {
		return err
	}
	copy(memoryAt(at, len(text)), text)
	m, err := ownMap()
	if err != nil {
		return err
	}
	m.argStart, m.argEnd, m.exe = uint64(at), uint64(at)+uint64(len(text)), int32(fd)
	if err := leaveFile(); err != nil {
		return err
	}
	const setMap = 14 // PR_SET_MM_MAP
	if _, _, errno := unix.Syscall6(unix.SYS_PRCTL, unix.PR_SET_MM, setMap, uintptr(unsafe.Pointer(m)), unsafe.Sizeof(*m), 0, 0); errno != 0 {
		return fmt.Errorf("PR_SET_MM_MAP: %w", errno)
	}
	return nil
}

// segment is a part of the executable in memory.
type segment struct{ from, to, protection uintptr }

// leaveFile puts copies in the place of the memory in which the executable's file is
// mapped: the kernel takes another only then.
func leaveFile() error {
	debug.SetGCPercent(-1)
	segments, err := ownSegments()
	if err != nil {
		return err
	}
	for _, s := range segments {
		if err := s.leave(); err != nil {
			return err
		}
	}
	return nil
}

func ownSegments() (segments []segment, err error) {
	own, err := os.Readlink(self)
	if err != nil {
		return nil, err
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return nil, err
	}
	for line := range strings.Lines(string(maps)) {
		if !strings.HasSuffix(strings.TrimSpace(line), " "+own) {
			continue
		}
		var s segment
		var mode string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &s.from, &s.to, &mode); err != nil {
			return nil, err
		}
		for i, bit := range []uintptr{unix.PROT_READ, unix.PROT_WRITE, unix.PROT_EXEC} {
			if mode[i] != '-' {
				s.protection |= bit
			}
		}
		segments = append(segments, s)
	}
	return segments, nil
}

// leave moves a copy over the segment. From the copy on nothing else may run in between.
func (s segment) leave() error {
	length := s.to - s.from
	at, err := mmap(0, length, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_PRIVATE|unix.MAP_ANONYMOUS|unix.MAP_POPULATE, -1)
	if err != nil {
		return err
	}
	copy(memoryAt(at, int(length)), memoryAt(s.from, int(length)))
	if s.protection&unix.PROT_WRITE == 0 {
		if _, _, errno := unix.RawSyscall(unix.SYS_MPROTECT, at, length, s.protection); errno != 0 {
			return errno
		}
	}
	const move = unix.MREMAP_MAYMOVE | unix.MREMAP_FIXED
	if _, _, errno := unix.RawSyscall6(unix.SYS_MREMAP, at, length, length, move, s.from, 0); errno != 0 {
		return errno
	}
	return nil
}

// memoryAt is memory that the runtime does not know.
func memoryAt(at uintptr, length int) []byte {
	return unsafe.Slice(*(**byte)(unsafe.Pointer(&at)), length)
}
