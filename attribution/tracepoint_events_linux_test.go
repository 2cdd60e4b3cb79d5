package attribution

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// tracefsOf makes a directory like a tracefs, with these events.
func tracefsOf(t *testing.T, formats map[string]string) tracefs {
	t.Helper()
	dir := t.TempDir()
	for event, text := range formats {
		file := filepath.Join(dir, "events", event, "format")
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	fs := tracefs{fd}
	t.Cleanup(fs.close)
	return fs
}

// Events on processes that cannot be read are no reason not to read the others, and told.
func TestProcessEvents(t *testing.T) {
	const exec, exit, fork = "sched/sched_process_exec", "sched/sched_process_exit", "task/task_newtask"
	formats := func(without, odd string) map[string]string {
		all := make(map[string]string)
		for _, event := range []string{exec, exit, fork} {
			b, err := os.ReadFile("testdata/format/" + filepath.Base(event))
			if err != nil {
				t.Fatal(err)
			}
			all[event] = string(b)
		}
		delete(all, without)
		if odd != "" {
			all[odd] = "ID: 7\n"
		}
		return all
	}
	for _, test := range []struct {
		name         string
		without, odd string
		forks        bool
		events       int
		less         string // in what is told; "" for nothing
	}{
		{"all", "", "", true, 3, ""},
		{"pids are not the machine's", fork, "", false, 2, ""},
		{"no exec", exec, "", true, 2, "tracepoint sched/sched_process_exec: no such file or directory"},
		{"no exit", exit, "", true, 2, "tracepoint sched/sched_process_exit: no such file or directory"},
		{"no forks", fork, "", true, 2, "tracepoint task/task_newtask: no such file or directory"},
		{"exec with other fields", "", exec, true, 2, "tracepoint sched/sched_process_exec: not in the format"},
		{"forks with other fields", "", fork, true, 2, "tracepoint task/task_newtask: not in the format"},
	} {
		t.Run(test.name, func(t *testing.T) {
			events, less := new(decoder).processEvents(tracefsOf(t, formats(test.without, test.odd)), test.forks)
			limits := (&tracepoint{less: less}).limits()
			if len(events) != test.events || (len(limits) == 1) != (test.less != "") || !strings.Contains(strings.Join(limits, ""), test.less) {
				t.Errorf("%d events, told is %q", len(events), limits)
			}
		})
	}
}

// So are stacks that are not sampled: the tracepoint that they are of is none.
func TestStacksAreMissed(t *testing.T) {
	rings, less := openStacks(&decoder{exec: execFormat{id: 1<<16 - 1}})
	if limits := (&tracepoint{less: less}).limits(); len(rings) > 0 || len(limits) != 1 || !strings.Contains(limits[0], "stacks of programs that start: ") {
		t.Errorf("%d rings, told is %q", len(rings), limits)
	}
	if rings, less := openStacks(new(decoder)); len(rings)+len(less) > 0 {
		t.Errorf("%d rings, told is %v", len(rings), less)
	}
}
