package cli

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// What is to be done fits why other network namespaces are not captured.
func TestNotFollowed(t *testing.T) {
	for err, want := range map[error]string{
		syscall.EPERM:  "operation not permitted; run as root outside of containers, or with CAP_SYS_ADMIN",
		syscall.EMFILE: "too many open files; allow more open files",
		syscall.ENFILE: "too many open files in system; allow more open files",
	} {
		if got := notFollowed(fmt.Errorf("open: %w", err)); !strings.HasSuffix(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
