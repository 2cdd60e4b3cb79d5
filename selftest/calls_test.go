//go:build linux

package selftest

import (
	"strings"
	"testing"
)

func TestWhatNetworksTake(t *testing.T) {
	for _, tt := range []struct {
		uid       int
		says, not string
	}{
		{0, "CAP_SYS_ADMIN", "sudo"},
		{1000, "sudo imds-analyzer selftest", "CAP_"},
	} {
		if got := whatNetworksTake(tt.uid); !strings.Contains(got, tt.says) || strings.Contains(got, tt.not) {
			t.Errorf("uid %d: %s", tt.uid, got)
		}
	}
}
