package cli

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// Where there is no room for files that is an error, and none stays open.
func TestRoomForFiles(t *testing.T) {
	if err := roomForFiles(); err != nil {
		t.Fatal(err)
	}
	var before, none unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	none.Max = before.Max
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	err := roomForFiles()
	if restored := unix.Setrlimit(unix.RLIMIT_NOFILE, &before); restored != nil {
		t.Fatal(restored)
	}
	if !errors.Is(err, unix.EMFILE) {
		t.Errorf("without room: %v", err)
	}
	if err := roomForFiles(); err != nil {
		t.Errorf("and with: %v", err)
	}
}
