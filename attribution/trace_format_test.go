package attribution

import (
	"errors"
	"os"
	"testing"
)

func readFormat(t testing.TB, name string) traceFormat {
	t.Helper()
	b, err := os.ReadFile("testdata/format/" + name)
	if err != nil {
		t.Fatal(err)
	}
	f, err := parseTraceFormat(b)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestTraceFormat(t *testing.T) {
	f := readFormat(t, "inet_sock_set_state")
	if f.id != 2287 {
		t.Errorf("ID %d", f.id)
	}
	for name, want := range map[string]traceField{
		"skaddr": {8, 8}, "newstate": {20, 4}, "dport": {26, 2}, "saddr": {32, 4}, "daddr_v6": {56, 16},
	} {
		if f.fields[name] != want {
			t.Errorf("field %s: %+v, want %+v", name, f.fields[name], want)
		}
	}
	if _, err := f.place("dport", 4); !errors.Is(err, errTraceFormat) {
		t.Errorf("a port of 4 bytes: %v", err)
	}
	if _, err := f.long("mark"); !errors.Is(err, errTraceFormat) {
		t.Errorf("a field that is not there: %v", err)
	}
}

func TestTraceFormatBroken(t *testing.T) {
	for name, text := range map[string]string{
		"empty":            "",
		"no ID":            "name: x\n",
		"ID too large":     "ID: 65536\n",
		"no name":          "ID: 1\nfield:;\toffset:0;\tsize:1;\n",
		"no place":         "ID: 1\nfield:int a;\tsize:4;\n",
		"not a number":     "ID: 1\nfield:int a;\toffset:x;\tsize:4;\n",
		"negative":         "ID: 1\nfield:int a;\toffset:-8;\tsize:4;\n",
		"beyond all bound": "ID: 1\nfield:int a;\toffset:8193;\tsize:4;\n",
	} {
		if f, err := parseTraceFormat([]byte(text)); !errors.Is(err, errTraceFormat) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}

func TestFieldOfShortRecord(t *testing.T) {
	f := traceField{offset: 4, size: 4}
	if n := f.number(make([]byte, 7)); n != 0 {
		t.Errorf("%d", n)
	}
	if b := f.of(make([]byte, 7)); b != nil {
		t.Errorf("%v", b)
	}
}

func TestCPUList(t *testing.T) {
	for list, want := range map[string]int{"0\n": 1, "0-1\n": 2, "0-3,8,10-11": 7, "": -1, "a": -1, "0-": -1, "-1": -1, "0-8192": -1} {
		cpus, err := parseCPUs(list)
		if want < 0 && err == nil || want >= 0 && len(cpus) != want {
			t.Errorf("%q: %v, %v", list, cpus, err)
		}
	}
}

func FuzzTraceFormat(f *testing.F) {
	for _, name := range []string{"inet_sock_set_state", "sched_process_exec", "sched_process_exit", "task_newtask"} {
		b, err := os.ReadFile("testdata/format/" + name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b, []byte{1, 2, 3, 4})
	}
	f.Fuzz(func(t *testing.T, b, raw []byte) {
		format, err := parseTraceFormat(b)
		if err != nil {
			return
		}
		for name, field := range format.fields {
			if got := field.of(raw); got != nil && len(got) != field.size {
				t.Errorf("%s: %d bytes of %d", name, len(got), field.size)
			}
			field.number(raw)
		}
		socket, _ := newSocketFormat(format)
		fork, _ := newForkFormat(format)
		exec, _ := newExecFormat(format)
		d := decoder{socket: socket, exec: exec, fork: fork, exit: newExitFormat(format)}
		d.decode(perfSample{pid: 1, tid: 1, raw: raw})
	})
}

func FuzzCPUList(f *testing.F) {
	f.Add("0-3,8\n")
	f.Add("0")
	f.Fuzz(func(t *testing.T, list string) { parseCPUs(list) })
}
