package main

import (
	"fmt"
	"testing"
	"time"
)

// containerID is that of the caller's container.
const containerID = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// caller is the client of these tests: one process of the user 1000.
func caller() client {
	return client{clientID{0, 7}, pids{42, 2}, 1000, []string{"/c", "get", "/latest/meta-data/0/7"}, "/c", containerID}
}

func madeBy(calls int, clients ...client) made {
	return made{
		cells: []cell{{bridged, "get", 1, 0}}, each: []int{calls}, lives: []time.Duration{time.Millisecond},
		clients: clients,
	}
}

// logged is the entry of a call as the program writes it, of the client unless
// the change says otherwise.
func logged(t *testing.T, target string, change func(e *entry)) entry {
	t.Helper()
	c := caller()
	var e entry
	e.Event.Dataset = callDataset
	e.URL.Original = target
	e.IMDS.Attribution.Status = resolved
	e.Process.PID, e.Process.VPID, e.Process.Args, e.Process.Executable = c.host, c.inside, c.args, c.executable
	e.User.ID, e.Container.ID = fmt.Sprint(c.uid), c.container
	if change != nil {
		change(&e)
	}
	return e
}

const firstCall = "/latest/meta-data/0/7/42/2/0"

// nobody is an entry without a process.
func nobody(e *entry) {
	target := e.URL.Original
	*e = entry{}
	e.Event.Dataset, e.URL.Original, e.IMDS.Attribution.Status = callDataset, target, "not_found"
}

func TestVerdict(t *testing.T) {
	one, none, wrong := score{Right: 1}, score{None: 1}, score{Wrong: 1}
	for name, test := range map[string]struct {
		change  func(e *entry)
		want    tally
		problem string
	}{
		"all right": {nil, tally{PID: found{score: one}, Args: one, User: one, Executable: one, Container: one}, ""},
		"nobody":    {nobody, tally{PID: found{score: none}, Args: none, User: none, Executable: none, Container: none}, "none"},
		"another process": {
			func(e *entry) { e.Process.PID = 43 },
			tally{PID: found{score: wrong}, Args: one, User: one, Executable: one, Container: one}, "wrong",
		},
		"inferred, and it was": {
			func(e *entry) { e.IMDS.Attribution.Status = inferred },
			tally{PID: found{InferredRight: 1}, Args: one, User: one, Executable: one, Container: one}, "",
		},
		"inferred, and it was not": {
			func(e *entry) { e.IMDS.Attribution.Status, e.Process.PID = inferred, 43 },
			tally{PID: found{InferredWrong: 1}, Args: none, User: none, Executable: none, Container: none}, "",
		},
		"shared, and named first": {
			func(e *entry) { e.IMDS.Attribution.Status = shared },
			tally{PID: found{Shared: 1}, Args: one, User: one, Executable: one, Container: one}, "",
		},
		"shared, and named among others": {
			func(e *entry) {
				e.IMDS.Attribution.Status, e.Process.PID = shared, 41
				e.IMDS.Attribution.Candidates = []struct{ PID int }{{43}, {42}}
			},
			tally{PID: found{Shared: 1}, Args: none, User: none, Executable: none, Container: none}, "",
		},
		"shared by others": {
			func(e *entry) {
				e.IMDS.Attribution.Status, e.Process.PID = shared, 41
				e.IMDS.Attribution.Candidates = []struct{ PID int }{{43}}
			},
			tally{PID: found{score: wrong}, Args: none, User: none, Executable: none, Container: none}, "wrong",
		},
		"nothing but the pid": {
			func(e *entry) { e.Process.Args, e.Process.Executable, e.User.ID, e.Container.ID = nil, "", "", "" },
			tally{PID: found{score: one}, Args: none, User: none, Executable: none, Container: none}, "",
		},
		"the command line from before the exec": {
			func(e *entry) { e.Process.Args = []string{"/c", "spawn"} },
			tally{PID: found{score: one}, Args: wrong, User: one, Executable: one, Container: one}, "wrong",
		},
		"the user from before setuid": {
			func(e *entry) { e.User.ID = "0" },
			tally{PID: found{score: one}, Args: one, User: wrong, Executable: one, Container: one}, "wrong",
		},
		"another pid in its container": {
			func(e *entry) { e.Process.VPID = 3 },
			tally{PID: found{score: wrong}, Args: one, User: one, Executable: one, Container: one}, "wrong",
		},
		"no pid in its container": {
			func(e *entry) { e.Process.VPID = 0 },
			tally{PID: found{score: one}, Args: one, User: one, Executable: one, Container: one}, "",
		},
		"inferred, with another pid in its container": {
			func(e *entry) { e.IMDS.Attribution.Status, e.Process.VPID = inferred, 3 },
			tally{PID: found{InferredWrong: 1}, Args: one, User: one, Executable: one, Container: one}, "",
		},
		"another container": {
			func(e *entry) { e.Container.ID = "x" },
			tally{PID: found{score: one}, Args: one, User: one, Executable: one, Container: wrong}, "wrong",
		},
		"another executable": {
			func(e *entry) { e.Process.Executable = "/d" },
			tally{PID: found{score: one}, Args: one, User: one, Executable: wrong, Container: one}, "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			v := newVerdict(madeBy(1, caller()))
			v.take(logged(t, firstCall, test.change))
			v.end(madeBy(1, caller()))
			test.want.Calls = 1
			if got := v.tallies[0]; got != test.want {
				t.Errorf("%+v, not %+v", got, test.want)
			}
			problem := ""
			for _, p := range v.problems {
				problem += p.what
			}
			if problem != test.problem {
				t.Errorf("the problem is %q, not %q", problem, test.problem)
			}
		})
	}
}

// The pid that a call itself tells is that of a child of the client.
func TestVerdictOfChildren(t *testing.T) {
	m := madeBy(2, caller())
	v := newVerdict(m)
	v.take(logged(t, "/latest/meta-data/0/7/50/9/0", func(e *entry) { e.Process.PID, e.Process.VPID = 50, 9 }))
	v.take(logged(t, "/latest/meta-data/0/7/51/10/1", nil)) // says that the parent called
	v.end(m)
	if got := v.tallies[0].PID.score; got != (score{Right: 1, Wrong: 1}) {
		t.Errorf("%+v", got)
	}
}

// Of a client on the host nobody is asked for a container.
func TestVerdictOnHost(t *testing.T) {
	c := caller()
	c.pids, c.container = pids{42, 42}, ""
	v := newVerdict(madeBy(1, c))
	v.take(logged(t, "/latest/meta-data/0/7", func(e *entry) { e.Process.VPID = 0 })) // curl
	if got := v.tallies[0]; got.Container != (score{}) || got.PID.Right != 1 {
		t.Errorf("%+v", got)
	}
}

func TestVerdictCounts(t *testing.T) {
	m := madeBy(3, caller())
	v := newVerdict(m)
	for _, target := range []string{
		firstCall, firstCall, // twice
		"/latest/meta-data/0/7/42/2/2",
		"/latest/meta-data/0/8/42/2/0", // no client of that number
		"/latest/meta-data/9/7/42/2/0", // no such cell
		"/latest/meta-data/instance-id",
	} {
		v.take(logged(t, target, nil))
	}
	v.take(entry{}) // about the capture
	v.end(m)
	got := v.tallies[0]
	if got.Calls != 3 || got.Missing != 1 || got.Twice != 1 || got.PID.Right != 2 || v.strays != 3 {
		t.Errorf("%+v, and %d strays", got, v.strays)
	}
	if len(v.problems) != 1 || v.problems[0].call.n != 1 {
		t.Errorf("the problems are %+v", v.problems)
	}
}
