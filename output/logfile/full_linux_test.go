package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// onSmallDisk runs the test on a disk that is soon full, which nobody else sees.
func onSmallDisk(t *testing.T, pages int, test func(dir string)) {
	t.Helper()
	dir := t.TempDir()
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)      // also when the test fails
		runtime.LockOSThread() // and never unlocked: the thread ends, and the disk with it
		options := fmt.Sprintf("size=%d", pages*os.Getpagesize())
		err = errors.Join(
			unix.Unshare(unix.CLONE_FS|unix.CLONE_NEWNS),
			unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""),
			unix.Mount("disk", dir, "tmpfs", 0, options),
		)
		if err == nil {
			test(dir)
		}
	}()
	if <-done; err != nil {
		t.Fatal(err)
	}
}

// Of what a disk has no room for, nothing is left in the file but whole lines, and
// Write tells which.
func TestDiskFull(t *testing.T) {
	onSmallDisk(t, 4, func(dir string) {
		name, ballast := filepath.Join(dir, "log"), filepath.Join(dir, "ballast")
		put(t, ballast, strings.Repeat("x", os.Getpagesize()))
		f := opened(t, name, Options{})
		text := strings.Join(numbers(0, 300), "\n") + "\n"
		n, err := f.Write([]byte(text))
		if !errors.Is(err, syscall.ENOSPC) || n == 0 || text[n-1] != '\n' {
			t.Fatalf("%d bytes, %v", n, err)
		}
		checkHolds(t, name, text[:n])
		again, err := f.Write([]byte(text[n:]))
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("%d bytes, %v", again, err)
		}
		n += again
		checkHolds(t, name, text[:n])
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
		more, err := f.Write([]byte(text[n:]))
		if more == 0 {
			t.Errorf("nothing is written when there is room again: %v", err)
		}
		checkHolds(t, name, text[:n+more])
	})
}

// A disk that is full keeps nobody from opening a file with an end that is to be mended.
func TestMendedOnFullDisk(t *testing.T) {
	onSmallDisk(t, 2, func(dir string) {
		page := strings.Repeat("x", os.Getpagesize()-len("\n{}"))
		name := put(t, filepath.Join(dir, "log"), page+"\n{}")
		ballast := put(t, filepath.Join(dir, "ballast"), "x")
		f := opened(t, name, Options{})
		if n, err := f.Write([]byte("a\n")); n != 0 || !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%d bytes, %v", n, err)
		}
		if err := os.Remove(ballast); err != nil {
			t.Error(err)
		}
		add(t, f, "a")
		checkHolds(t, name, page+"\n{}\na\n")
	})
}

// The file is rotated on a disk that is full, too, and what was kept longest makes room.
func TestRotationOnFullDisk(t *testing.T) {
	onSmallDisk(t, 3, func(dir string) {
		name := filepath.Join(dir, "log")
		f := opened(t, name, Options{RotateSize: int64(os.Getpagesize()), Keep: 1})
		for i := range 10 {
			line := fmt.Sprintf("%d %s", i, strings.Repeat("x", os.Getpagesize()-3))
			add(t, f, line)
			checkHolds(t, name, line+"\n")
		}
	})
}
