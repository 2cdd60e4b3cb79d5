package attribution

import (
	"fmt"
	"testing"
)

func TestExecStartsBelongToTheirEvents(t *testing.T) {
	start := func(pid int, at int64, file string) execStart {
		return execStart{pid: pid, at: at, file: file, args: []string{file}, whole: true}
	}
	event := traceEvent{kind: execEvent, pid: 5, at: 1_000_000, file: "/bin/curl"}
	for _, test := range []struct {
		name   string
		starts []execStart
		taken  bool
	}{
		{"none", nil, false},
		{"sampled before", []execStart{start(5, event.at-3_000, event.file)}, true},
		{"at the latest before", []execStart{start(5, event.at-sameStart, event.file)}, true},
		{"among others", []execStart{start(4, event.at, event.file), start(5, event.at, event.file), start(5, 1, event.file)}, true},
		{"another process", []execStart{start(4, event.at, event.file)}, false},
		{"another program", []execStart{start(5, event.at, "/bin/sh")}, false},
		{"earlier", []execStart{start(5, event.at-sameStart-1, event.file)}, false},
		{"later", []execStart{start(5, event.at+1, event.file)}, false},
		{"no telling which", []execStart{start(5, event.at-3_000, event.file), start(5, event.at-6_000, event.file)}, false},
	} {
		s := execStarts{waiting: test.starts}
		n := len(test.starts)
		got := s.take(event)
		if (got != nil) != test.taken || got != nil && (got.pid != 5 || len(s.waiting) != n-1) {
			t.Errorf("%s: %+v, %d are left of %d", test.name, got, len(s.waiting), n)
		}
		s.forget(event.at + startKeptFor + sameStart + 2)
		if len(s.waiting) != 0 {
			t.Errorf("%s: %d are kept for ever", test.name, len(s.waiting))
		}
	}
}

func TestWhatExecTells(t *testing.T) {
	whole := &execStart{args: []string{"curl", "-s"}, cut: true, whole: true}
	for _, test := range []struct {
		file  string
		start *execStart
		want  string
	}{
		{"/usr/bin/curl", whole, "curl [curl -s] true"},
		{"./curl", whole, "curl [curl -s] true"},
		{"/usr/bin/curl", nil, "curl [] false"},
		{"/usr/bin/curl", &execStart{args: []string{"curl"}}, "curl [] false"},
		{"/dev/fd/3", nil, " [] false"},
		{"", nil, " [] false"},
	} {
		p := traceEvent{pid: 5, file: test.file}.told(test.start)
		if got := fmt.Sprint(p.Name, " ", p.Args, " ", p.ArgsTruncated); got != test.want || p.PID != 5 {
			t.Errorf("%s: %q, want %q", test.file, got, test.want)
		}
	}
}

// What the kernel told stays, whatever makes doubtful what was read.
func TestDoubtLeavesWhatWasTold(t *testing.T) {
	told := &Process{PID: 5, Name: "curl", Args: []string{"curl", "-s"}}
	for _, test := range []struct {
		name string
		told *Process
		want string
		says bool
	}{
		{"told", told, "curl [curl -s]", true},
		{"a name alone", &Process{PID: 5, Name: "curl"}, "curl []", false},
		{"not told", nil, "", false},
	} {
		r := &reading{process: Process{PID: 5, Executable: "/bin/other"}, userID: new(uint32), known: true}
		if test.told != nil {
			r.tell(test.told)
		}
		r.doubt()
		r.doubt() // again, by another event
		if got := fmt.Sprint(r.process.Name, " ", r.process.Args); !r.doubted && (got != test.want || r.process.Executable != "" || r.userID != nil || r.known) {
			t.Errorf("%s: %q of %+v", test.name, got, r)
		}
		if r.says() != test.says || r.doubted != (test.told == nil) {
			t.Errorf("%s: doubted %v, says %v", test.name, r.doubted, r.says())
		}
	}
}
