//go:build unix

package cli

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"
)

// file is one with an owner and a mode.
type file struct {
	mode  fs.FileMode
	owner uint32
}

func (f file) Name() string       { return "config.yaml" }
func (f file) Size() int64        { return 0 }
func (f file) Mode() fs.FileMode  { return f.mode }
func (f file) ModTime() time.Time { return time.Time{} }
func (f file) IsDir() bool        { return false }
func (f file) Sys() any           { return &syscall.Stat_t{Uid: f.owner} }

func TestMistrust(t *testing.T) {
	for _, tt := range []struct {
		name string
		file file
		user int
		says string // nothing: it is trusted
	}{
		{"root's own", file{0o644, 0}, 0, ""},
		{"root's secret", file{0o600, 0}, 0, ""},
		{"readable for a group", file{0o640, 0}, 0, ""},
		{"a group's", file{0o664, 0}, 0, "go-w"},
		{"everybody's", file{0o646, 0}, 0, "go-w"},
		{"another user's", file{0o600, 1000}, 0, "uid 1000"},
		{"for another user than root", file{0o666, 1000}, 1001, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := mistrust(tt.file, tt.user)
			if (err != nil) != (tt.says != "") || err != nil && !strings.Contains(err.Error(), tt.says) {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestConfigThatIsNotThere(t *testing.T) {
	for _, name := range []string{t.TempDir() + "/missing", t.TempDir()} {
		if _, err := openConfig(name); err == nil || errors.As(err, new(configError)) {
			t.Errorf("error %v", err)
		}
	}
}
