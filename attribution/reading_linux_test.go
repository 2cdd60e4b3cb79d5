package attribution

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// A file that is longer than what is read of it ends in the middle of a line: what stands there
// is a number, or a path, that is not the process's.
func TestLookAtLongFiles(t *testing.T) {
	groups := func(n int) string { return "Groups:\t" + strings.Repeat("1", n) + "\n" }
	controller := func(n int) string { return "2:cpu:/" + strings.Repeat("a", n) + "\n" }
	const room, uid, status, systemd = lookBuffer, "Uid:\t7\t7\t7\t7\n", "NSpid:\t4711\t123\n", "1:name=systemd:/docker/0a1b2c3d\n"
	left := func(around string, rest int) int { return room - len(around) - rest }
	for _, test := range []struct {
		name           string
		status, cgroup string
		pid            int
		path           string
	}{
		{"short", uid + groups(9) + status, controller(9) + systemd, 123, "/docker/0a1b2c3d"},
		{"just short enough", uid + groups(left(uid+groups(0), len(status))) + status, controller(left(controller(0), len(systemd))) + systemd, 123, "/docker/0a1b2c3d"},
		{"cut in the last line", uid + groups(left(uid+groups(0), len(status)-2)) + status, controller(left(controller(0), len(systemd)-4)) + systemd, 0, ""},
		{"cut before it", uid + groups(room) + status, controller(room) + systemd, 0, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := proc{root: t.TempDir(), boot: bootOfFixture}
			if err := errors.Join(os.Mkdir(p.path(5), 0o700), os.WriteFile(p.path(5, "status"), []byte(test.status), 0o600),
				os.WriteFile(p.path(5, "cgroup"), []byte(test.cgroup), 0o600)); err != nil {
				t.Fatal(err)
			}
			r := p.readAtOnce(5)
			if r.process.NamespacePID != test.pid || r.process.Cgroup != test.path || r.userID == nil || *r.userID != 7 {
				t.Errorf("pid %d, user %v, cgroup %q", r.process.NamespacePID, r.userID, r.process.Cgroup)
			}
		})
	}
}
