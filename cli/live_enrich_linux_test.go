package cli_test

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// tellSelf is a command that tells what it was told of the caller, and what it may
// do itself.
const tellSelf = `caller=$(sed 's/.*"process":{"pid":\([0-9]*\).*/\1/')
state() { sed -n "s/^$1:[[:space:]]*//p" /proc/$$/status | tr '\t' ' '; }
printf '{"caller":"%s","uid":"%s","gid":"%s","groups":"%s","effective":"%s","permitted":"%s","ambient":"%s","no_new_privs":"%s","others":"%s"}' \
	"$caller" "$(state Uid)" "$(state Gid)" "$(state Groups | sed 's/ *$//')" "$(state CapEff)" "$(state CapPrm)" "$(state CapAmb)" "$(state NoNewPrivs)" "$(ls -l /proc/$$/fd | grep -c 'socket:\|anon_inode:')"
`

// labelsOf are the labels of each entry in a log, by the caller's pid.
func labelsOf(t *testing.T, log string) map[int]map[string]string {
	t.Helper()
	entries, failed := entriesWithLabels(t, log)
	if failed != 0 {
		t.Errorf("%d failed", failed)
	}
	labels := map[int]map[string]string{}
	for _, e := range entries {
		labels[e.Process.PID] = e.Labels
	}
	return labels
}

// The command has the caller's pid, no capabilities, also if it is root's, and none
// of the program's files. The program keeps what it takes to run and to end it.
func TestLiveEnrich(t *testing.T) {
	t.Parallel()
	const ptrace, readSearch = unix.CAP_SYS_PTRACE, unix.CAP_DAC_READ_SEARCH
	more := []int{unix.CAP_KILL, unix.CAP_SETGID, unix.CAP_SETUID}
	for _, test := range []struct {
		flags []string
		kept  []int
		uid   int
	}{
		{nil, more, nobody},
		{[]string{"--enrich-user", "daemon"}, more, 1},
		{[]string{"--enrich-user", "1"}, more, 1},
		{[]string{"--enrich-user", "root"}, nil, 0},
	} {
		t.Run(strings.Join(append([]string{"flags"}, test.flags...), " "), func(t *testing.T) {
			t.Parallel()
			s, w := newSite(t), newWorkshop(t, tellSelf)
			kept := append([]int{ptrace, readSearch}, test.kept...)
			p := s.host.watch(t, append(test.flags, "--enrich", w.script)...)
			checkDropped(t, p, kept)
			calls := s.visits(t, curlOf(t))
			checkDropped(t, p, kept)
			log := p.stop(t, os.Interrupt)
			checkKept(t, log, kept)
			labels := labelsOf(t, log)
			for _, m := range calls {
				checkCommand(t, labels[m.pid], m.pid, test.uid)
			}
		})
	}
}

// checkCommand holds what a command told of itself against what it was to be.
func checkCommand(t *testing.T, labels map[string]string, caller, uid int) {
	t.Helper()
	none := fmt.Sprintf("%016x", 0)
	want := map[string]string{
		"caller": strconv.Itoa(caller), "effective": none, "permitted": none, "ambient": none, "no_new_privs": "1",
		"uid":    strings.TrimSpace(strings.Repeat(strconv.Itoa(uid)+" ", 4)),
		"others": "0", // open files that are no pipes, and not the shell's own
	}
	if uid != 0 { // whose groups are those that the tests have
		want["gid"], want["groups"] = want["uid"], strconv.Itoa(uid)
	}
	for name, value := range want {
		if labels[name] != value {
			t.Errorf("%s is %q, not %q", name, labels[name], value)
		}
	}
}

// A service without root has commands of its own user, without its capabilities.
func TestLiveEnrichWithoutRoot(t *testing.T) {
	t.Parallel()
	s, w := newSite(t), newWorkshop(t, tellSelf)
	s.service.follow(rules{delay: lifeTime})
	capabilities := []int{unix.CAP_NET_RAW, unix.CAP_PERFMON, unix.CAP_DAC_READ_SEARCH, unix.CAP_SYS_PTRACE, unix.CAP_SYS_NICE}
	cmd := liveCommand("--own-namespace", "--enrich", w.script, "--enrich-user", strconv.Itoa(nobody))
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody, Gid: nobody, Groups: []uint32{nobody}}}
	for _, c := range capabilities {
		cmd.SysProcAttr.AmbientCaps = append(cmd.SysProcAttr.AmbientCaps, uintptr(c))
	}
	p := launch(t, (&privileged{user: nobody, mounts: withTracefs}).thread(t, s), cmd)
	p.awaitStart(t)
	pid := s.curlAs(t, s.host, 0)
	checkCommand(t, labelsOf(t, p.stop(t, os.Interrupt))[pid], pid, nobody)
}

func TestLiveEnrichOfOthersTakesRoot(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		user int
		flag string
		drop int
		says string
	}{
		{nobody, "root", unix.CAP_NET_RAW, "only root runs commands as other users"},
		{0, "daemon", unix.CAP_SETUID, "takes CAP_SETUID"},
		{0, "daemon", unix.CAP_SETGID, "takes CAP_SETGID"},
		{0, "nobody", unix.CAP_KILL, "takes CAP_KILL"},
	} {
		cmd := liveCommand("--enrich", "sh", "--enrich-user", test.flag)
		cmd.Dir, cmd.SysProcAttr = "/", &syscall.SysProcAttr{}
		if test.user != 0 {
			cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(test.user), Gid: uint32(test.user)}
		}
		n := newThread(t, func() error {
			if err := unix.Unshare(unix.CLONE_NEWNET); err != nil || test.user != 0 {
				return err
			}
			return unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(test.drop), 0, 0, 0)
		})
		p := launch(t, n, cmd)
		p.finish(t, 2)
		oneLine(t, p.errors())
		if !strings.Contains(p.errors(), test.says) {
			t.Errorf("it does not say %q: %s", test.says, p.errors())
		}
	}
}

// An entry that waits for its command holds up no other.
func TestLiveEnrichHoldsUpNothing(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := newWorkshop(t, `grep -q /slow && read x <DIR/go; echo '{"a":"b"}'`)
	release := w.fifo(t, "go")
	p := s.host.watch(t, "--enrich", w.script, "--enrich-timeout", "1m")
	c := s.connect(t, service4)
	c.get(t, "/latest/meta-data/slow")
	c.get(t, "/latest/meta-data/fast")
	p.out.wait(t, "the entry behind", func(lines []string) bool { return len(lines) > 0 && strings.Contains(lines[len(lines)-1], "/fast") })
	if len(callLines(strings.Join(p.out.soFar(), ""))) != 1 {
		t.Errorf("the entry before is there, too: %q", p.out.soFar())
	}
	// It is drained at the end.
	if err := p.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _, err := release.WriteString("\n"); err != nil {
		t.Fatal(err)
	}
	entries, failed := entriesWithLabels(t, p.finish(t, 0))
	if len(entries) != 2 || failed != 0 || entries[1].Labels["a"] != "b" {
		t.Errorf("%d failed: %+v", failed, entries)
	}
}

// The call of a command is one that is logged, and no reason to run it again.
func TestLiveEnrichCalls(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.service.follow(rules{delay: lifeTime})
	w := newWorkshop(t, tool(t, "curl")+` -s -o /dev/null http://169.254.169.254/latest/meta-data/mac && echo '{"a":"b"}'`)
	p := s.host.watch(t, "--enrich", w.script, "--enrich-timeout", "1m", "--count", "2")
	s.connect(t, service4).get(t, "/latest/meta-data/hostname")
	entries, failed := entriesWithLabels(t, p.finish(t, 0))
	own := slices.IndexFunc(entries, func(e labelled) bool { return e.URL.Original == "/latest/meta-data/mac" })
	if len(entries) != 2 || failed != 1 || own < 0 {
		t.Fatalf("%d failed: %+v", failed, entries)
	}
	if other := entries[1-own]; other.Process.PID != os.Getpid() || other.Labels["a"] != "b" || entries[own].Labels != nil {
		t.Errorf("%+v", entries)
	}
	if !strings.Contains(p.errors(), "Not enriched: the command made the call itself (1)\n") {
		t.Error(p.errors())
	}
}

// Another user's command is ended when its time is over, and no other entry waits.
func TestLiveEnrichTimeout(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := newWorkshop(t, "sh -c 'echo $$; read x <DIR/never' >>DIR/pids; exit")
	w.fifo(t, "never")
	open(t, w, "pids")
	p := s.host.watch(t, "--enrich", w.script, "--enrich-timeout", "2s")
	s.connect(t, service4).get(t, "/latest/meta-data/mac")
	p.out.wait(t, "the entry", func(lines []string) bool { return len(callLines(strings.Join(lines, ""))) == 1 })
	w.checkGone(t, "pids", 1)
	entries, failed := entriesWithLabels(t, p.stop(t, os.Interrupt))
	if len(entries) != 1 || failed != 1 || !strings.Contains(p.errors(), "Not enriched: the command took too long (1)\n") {
		t.Errorf("%d failed: %s", failed, p.errors())
	}
}

// Commands end with the program, also if that is killed.
func TestLiveEnrichKilled(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	w := newWorkshop(t, "echo $$ >DIR/pid; read x <DIR/never")
	w.fifo(t, "never")
	told := w.fifo(t, "pid")
	p := s.host.watch(t, "--enrich", w.script, "--enrich-timeout", "24h")
	s.connect(t, service4).get(t, "/latest/meta-data/mac")
	text := make([]byte, 20)
	n, err := told.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text[:n])))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	awaitGone(t, pid)
}

// Programs that read files keep their privileges, and commands have none of them.
func TestEnrichOfFilesHasNoPrivileges(t *testing.T) {
	t.Parallel()
	w := newWorkshop(t, strings.Replace(tellSelf, `"process":{"pid"`, `"port"`, 1))
	r := w.runProgram(t)
	var l labelled
	if err := json.Unmarshal([]byte(callLines(r)[0]), &l); err != nil {
		t.Fatal(err)
	}
	caller, err := strconv.Atoi(l.Labels["caller"])
	if err != nil {
		t.Fatal(err)
	}
	checkCommand(t, l.Labels, caller, nobody)
}

// runProgram reads a capture in a process of its own, and returns the log.
func (w workshop) runProgram(t *testing.T) string {
	t.Helper()
	out, err := program(t, "-r", captureOf(t, enriched), "--format", "json", "--enrich", w.script).Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
