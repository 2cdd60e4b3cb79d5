package attribution

import (
	"fmt"
	"testing"
	"time"
)

// What was read in connect(2) and what is known of the program are joined, and
// nothing is taken over that can have changed.
func TestTracepointAnswer(t *testing.T) {
	boot := time.Unix(1_000_000, 0)
	tp := &tracepoint{facts: newFacts(proc{root: t.TempDir(), boot: func() time.Time { return boot }}, "testdata/passwd")}
	told := func() *reading {
		r := &reading{process: Process{PID: 5}}
		r.tell(&Process{PID: 5, Name: "curl", Args: []string{"curl", "-s"}})
		return r
	}
	full := func(start time.Duration) *reading {
		r := readingOf(5, "wget", 0, 0)
		r.start, r.userID, r.process.Start = start, new(uint32(1000)), boot.Add(start)
		r.process.WorkingDirectory, r.process.Cgroup = "/srv", "/system.slice/a.service"
		return r
	}
	other := func(start time.Duration) *reading {
		r := readingOf(5, "curl", 0, 0)
		r.start, r.process.Start = start, boot.Add(start)
		return r
	}
	zombie := &reading{process: Process{PID: 5, Name: "curl", Cgroup: "/x"}, userID: new(uint32(1000)), start: time.Second, known: true}
	doubted := full(time.Second)
	doubted.doubt()
	for _, test := range []struct {
		name   string
		read   *reading
		member *member
		want   string
	}{
		{"nothing", nil, nil, "[]"},
		{"read", full(time.Second), nil, "wget [wget] /bin/wget 1000 /srv /system.slice/a.service 1s"},
		{"told, gone when it was looked at", nil, &member{pid: 5, image: told(), own: true}, "curl [curl -s]"},
		{"told, ended but not waited for", zombie, &member{pid: 5, image: told(), own: true}, "curl [curl -s] 1000 /x"},
		{"inherited, gone", nil, &member{pid: 5, image: full(0)}, "wget [wget] /bin/wget"},
		{"inherited, ended but not waited for", zombie, &member{pid: 5, image: full(0)}, "curl [wget] /bin/wget 1000 /x"},
		{"read before, gone", nil, &member{pid: 5, image: full(time.Second), own: true}, "wget [wget] /bin/wget /system.slice/a.service 1s"},
		{"another had the pid", zombie, &member{pid: 5, image: full(2 * time.Second), own: true}, "curl [] 1000 /x"},
		{"another had the pid, unseen", zombie, &member{pid: 5, since: monotonic(), image: told(), own: true}, "curl [] 1000 /x"},
		{"another had the pid, of another program", full(time.Second), &member{pid: 5, image: other(2 * time.Second), own: true}, "wget [wget] /bin/wget 1000 /srv /system.slice/a.service 1s"},
		{"another had the pid, of another program, unseen", full(time.Second), &member{pid: 5, since: monotonic(), image: other(0)}, "[]"},
		{"another had the pid, or not: what was read is in doubt", doubted, &member{pid: 5, image: other(2 * time.Second), own: true}, "curl [curl] /bin/curl 2s"},
		{"the next program was read", full(time.Second), &member{pid: 5, image: other(time.Second), own: true}, "curl [curl] /bin/curl 1s"},
		{"the next program was read, of the one before only its name is known", full(time.Second), &member{pid: 5, image: told(), own: true}, "curl [curl -s]"},
		{"doubted", doubted, &member{pid: 5, image: told(), own: true}, "curl [curl -s]"},
		{"all doubted", doubted, &member{pid: 5, image: doubted, own: true}, "[]"},
	} {
		a := tp.answer(&handshake{pid: 5, read: test.read, member: test.member})
		if a.Status != Resolved || a.Method != Tracepoint || a.Process.PID != 5 {
			t.Errorf("%s: %+v", test.name, a)
			continue
		}
		if got := said(*a.Process, boot); got != test.want && !(test.want == "[]" && got == "[]") {
			t.Errorf("%s: %q, want %q", test.name, got, test.want)
		}
	}
	if a := tp.answer(&handshake{}); a.Status != NotFound {
		t.Errorf("a process that we cannot see: %s", a.Status)
	}
}

// The parents are those of the process that is told.
func TestTracepointAnswerAncestors(t *testing.T) {
	tp := &tracepoint{facts: newFacts(proc{root: t.TempDir(), boot: bootTime}, "testdata/passwd")}
	at := func(start time.Duration) *reading {
		r := readingOf(5, "curl", 0, 0)
		r.start = start
		return r
	}
	zombie := &reading{process: Process{PID: 5, Name: "curl"}, start: time.Second, known: true}
	doubted := at(time.Second)
	doubted.doubt()
	followed, read := []kin{{7, readingOf(7, "sh", 0, 0)}}, []kin{{8, readingOf(8, "cron", 0, 0)}}
	for _, test := range []struct {
		name   string
		read   *reading
		member *member
		want   string
	}{
		{"one process", at(time.Second), &member{pid: 5, image: at(time.Second), own: true, ancestors: followed}, "sh"},
		{"its parents are not known", at(time.Second), &member{pid: 5, image: at(time.Second), own: true}, "cron"},
		{"gone when it was looked at", nil, &member{pid: 5, image: at(time.Second), own: true, ancestors: followed}, "sh"},
		{"another had the pid", at(time.Second), &member{pid: 5, image: at(2 * time.Second), own: true, ancestors: followed}, "cron"},
		{"another had the pid, of one that has ended", zombie, &member{pid: 5, image: at(2 * time.Second), own: true, ancestors: followed}, "cron"},
		{"another had the pid, or not", doubted, &member{pid: 5, image: at(2 * time.Second), own: true, ancestors: followed}, "sh"},
	} {
		h := &handshake{pid: 5, read: test.read, member: test.member, line: test.member.ancestors, lineRead: read}
		if line := tp.answer(h).Process.Ancestors; len(line) != 1 || line[0].Name != test.want {
			t.Errorf("%s: %+v, want %s", test.name, line, test.want)
		}
	}
}

// said lists what is known of a process.
func said(p Process, boot time.Time) (s string) {
	for _, part := range []string{p.Name, fmt.Sprint(p.Args), p.Executable, userIDOf(p), p.WorkingDirectory, p.Cgroup} {
		if part != "" && s != "" {
			s += " "
		}
		s += part
	}
	if !p.Start.IsZero() {
		s += " " + p.Start.Sub(boot).String()
	}
	return s
}

func userIDOf(p Process) string {
	if p.User == nil {
		return ""
	}
	return fmt.Sprint(p.User.ID)
}

// Who does not want to wait any longer learns whether an answer is on its way.
func TestForgetTellsOfAnAnswer(t *testing.T) {
	tp := &tracepoint{tracker: newTracker(true), watchers: make(map[Tuple][]*watcher), claims: testClaims()}
	h := made(7, service1)
	h.end = 100
	answers := make(chan Answer, 2)
	await := func() (forget func() bool) { return tp.await(h.tuple, 50, func(a Answer) { answers <- a }) }
	forget := await()
	for range 2 {
		if !forget() {
			t.Error("an answer is told that does not come")
		}
	}
	before := await()
	tp.mu.Lock()
	tp.tracker.handshakes.remember(h)
	tp.tell(h)
	tp.mu.Unlock()
	if after := await(); before() || after() {
		t.Error("an answer is not told that comes")
	}
	for range 2 {
		if a := <-answers; pidOf(a.Process) != 7 {
			t.Errorf("%+v", a)
		}
	}
	if len(answers) > 0 || len(tp.watchers) > 0 {
		t.Error("somebody waits still")
	}
}

// A thread of the kernel's own has connected for a process that is not told: it is none
// itself, and who holds the socket may still be found in other ways.
func TestConnectedByKernelThread(t *testing.T) {
	read := func(pid int) *reading { return fixture().readAtOnce(pid) }
	doubted := read(kthreadd)
	doubted.doubt()
	for _, test := range []struct {
		name     string
		read     *reading
		byKernel bool
	}{
		{"a thread of the kernel's", read(kthreadd), true},
		{"one that may have become a program", doubted, false},
		{"a process", read(100), false},
		{"nothing was read", nil, false},
	} {
		tp := &tracepoint{facts: newFacts(fixture(), "testdata/passwd"), tracker: newTracker(true), watchers: make(map[Tuple][]*watcher), claims: testClaims()}
		h := made(7, service1)
		h.end, h.read = 100, test.read
		tp.tracker.handshakes.remember(h)
		if a := tp.answer(h); (a.Status == NotFound && a.Process == nil) != test.byKernel {
			t.Errorf("%s: %+v", test.name, a)
		}
		known := make(chan Answer, 1)
		forget := tp.await(h.tuple, 50, func(a Answer) { known <- a })
		if unanswered := forget(); unanswered != test.byKernel || !h.claimed {
			t.Errorf("%s: left to other ways %v, seen %v", test.name, unanswered, h.claimed)
		}
		if !test.byKernel {
			<-known
		}
	}
}
