package cli

import (
	"errors"
	"fmt"
	"math"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// leaveProgramsNothing has programs that the process starts inherit no capabilities,
// and gain none. It starts the package manager's tools and the command of --enrich.
//
// It comes first, while there are few threads: all of them stop some 45 times, once for
// each capability that there is, and wait for each other by sched_yield(2), for which
// those that run before others stay in each other's way. Of 26 threads, 11 such among
// them, that took 1.3 s of processor time.
func leaveProgramsNothing() error {
	if err := seesItsThreads(); err != nil {
		return err
	}
	return errors.Join(forbidRoot(), forbidNew(), bound())
}

// dropPrivileges leaves the process, in all its threads and for good, with those
// of the capabilities that it has. What it started with has been used by now,
// and the packets and the names of processes that it goes on to read are
// written by others.
func dropPrivileges(keep []string) error {
	set, err := held(keep)
	if err != nil {
		return err
	}
	return errors.Join(hideFiles(), withOwnFiles(func() error {
		if err := seesItsThreads(); err != nil {
			return err
		}
		return keepOnly(set)
	}))
}

// withOwnFiles calls the job in a thread that has descriptors of its own, one of them
// free, whatever others open meanwhile. The library opens /proc/PID/task when it changes
// all threads, and kills the process where it cannot, as where those that look at
// processes have the last descriptor at that moment.
//
// The thread is thrown away. It must not be the main thread, which cannot be, and whose
// files pass for those of the process.
func withOwnFiles(job func() error) error {
	result := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with the goroutine
		if unix.Gettid() == os.Getpid() {
			defer runtime.UnlockOSThread()
			result <- withOwnFiles(job)
			return
		}
		copyFiles()
		result <- job()
	}()
	return <-result
}

// copyFiles gives the thread a copy of all descriptors, but standard input's: the Go
// runtime needs its own in each thread. Where that is refused privileges are to be
// dropped all the same.
func copyFiles() {
	err := unix.CloseRange(0, 0, unix.CLOSE_RANGE_UNSHARE)
	if err != nil && unix.Unshare(unix.CLONE_FILES) == nil { // as before Linux 5.9
		_ = unix.Close(0)
	}
}

// forbidRoot has programs that are started have none of root's capabilities, which root
// is given at each execve(2) otherwise (SECBIT_NOROOT, capabilities(7)). It takes
// CAP_SETPCAP, and is left out without.
func forbidRoot() error {
	if may, err := cap.GetProc().GetFlag(cap.Effective, cap.SETPCAP); err != nil || !may {
		return nil
	}
	const noRoot = cap.SecbitNoRoot | cap.SecbitNoRootLocked
	if _, err := cap.Prctlw(unix.PR_SET_SECUREBITS, uintptr(noRoot)); err != nil {
		return fmt.Errorf("set the secure bits: %w", err)
	}
	return nil
}

// hideFiles has no program that is started from now on inherit a file other than
// its standard streams. Libpcap's sockets are of those that would be: a command
// could read all packets.
func hideFiles() error {
	err := unix.CloseRange(firstOther, math.MaxUint32, unix.CLOSE_RANGE_CLOEXEC)
	if err != nil { // as before Linux 5.11 (close_range(2))
		err = hideEach()
	}
	if err != nil {
		return fmt.Errorf("keep open files from others: %w", err)
	}
	return nil
}

// firstOther is the first descriptor behind the standard streams'.
const firstOther = 3

func hideEach() error {
	files, err := os.ReadDir("/proc/self/fd")
	for _, file := range files {
		if fd, err := strconv.Atoi(file.Name()); err == nil && fd >= firstOther {
			unix.CloseOnExec(fd)
		}
	}
	return err
}

// seesItsThreads makes sure that /proc/PID/task lists our threads: by that the
// library finds them, and it kills the process where there is nothing.
func seesItsThreads() error {
	self, err := os.Readlink("/proc/self")
	if err == nil && self != strconv.Itoa(os.Getpid()) {
		err = errors.New("/proc is that of another pid namespace")
	}
	if err != nil {
		return err
	}
	// Signals that the kernel has no room for are waited for without end, too.
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_SIGPENDING, &limit); err == nil && limit.Cur == 0 {
		return errors.New("threads cannot be sent signals (RLIMIT_SIGPENDING, ulimit -i, is 0)")
	}
	return threadsAnswer(threadsWait)
}

// threadsWait is how long a thread may take no signals: one does for a moment when it is
// made.
const threadsWait = 2 * time.Second

// threadsAnswer makes sure that no thread is listed that takes no signals, as one of
// qemu-user's: the library asks each by a signal, and waits without end.
func threadsAnswer(within time.Duration) error {
	for end := time.Now().Add(within); ; time.Sleep(time.Millisecond) {
		deaf, err := deafThread()
		if err != nil || deaf == "" {
			return err
		}
		if time.Now().After(end) {
			return fmt.Errorf("thread %s takes no signals: it is not the program's, as where qemu runs it", deaf)
		}
	}
}

// deafThread returns the id of a thread that blocks the signals 33 or 34, which Go's never
// do for long (runtime: sigtab_linux_generic.go); empty if there is none.
func deafThread() (string, error) {
	const signals = 1<<(33-1) | 1<<(34-1)
	threads, err := os.ReadDir("/proc/self/task")
	for _, thread := range threads {
		status, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/status")
		if err != nil {
			continue // it has ended
		}
		_, mask, _ := strings.Cut(string(status), "\nSigBlk:\t")
		mask, _, _ = strings.Cut(mask, "\n")
		if blocked, err := strconv.ParseUint(mask, 16, 64); err == nil && blocked&signals != 0 {
			return thread.Name(), nil
		}
	}
	return "", err
}

// capabilities are the names of those in effect, in the words of
// capabilities(7).
func capabilities() (names []string) {
	have := cap.GetProc()
	for value := range cap.MaxBits() {
		if on, err := have.GetFlag(cap.Effective, value); err == nil && on {
			names = append(names, strings.ToUpper(value.String()))
		}
	}
	return names
}

// held is the set of those of the capabilities that are in effect.
func held(names []string) (*cap.Set, error) {
	set := cap.NewSet()
	for _, name := range capabilities() {
		if !slices.Contains(names, name) {
			continue
		}
		value, err := cap.FromName(strings.ToLower(name))
		if err == nil {
			err = errors.Join(set.SetFlag(cap.Permitted, true, value), set.SetFlag(cap.Effective, true, value))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return set, nil
}

// forbidNew has no program that the process starts gain anything
// (PR_SET_NO_NEW_PRIVS, prctl(2)).
func forbidNew() error {
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	return nil
}

// bound leaves nothing to be inherited or had by execve(2). Without CAP_SETPCAP the
// bounding set stays as it is.
func bound() error {
	inherited := cap.NewIAB()
	if may, err := cap.GetProc().GetFlag(cap.Permitted, cap.SETPCAP); err == nil && may {
		if err := inherited.Fill(cap.Bound, cap.NewSet(), cap.Permitted); err != nil {
			return fmt.Errorf("choose the bounding set: %w", err)
		}
	}
	if err := inherited.SetProc(); err != nil {
		return fmt.Errorf("set what is inherited: %w", err)
	}
	return nil
}
