package attribution

import (
	"encoding/binary"
	"errors"
	"testing"
)

func testDecoder(t *testing.T) decoder {
	t.Helper()
	socket, err1 := newSocketFormat(readFormat(t, "inet_sock_set_state"))
	fork, err2 := newForkFormat(readFormat(t, "task_newtask"))
	exec, err3 := newExecFormat(readFormat(t, "sched_process_exec"))
	if err := errors.Join(err1, err2, err3); err != nil {
		t.Fatal(err)
	}
	return decoder{
		socket: socket, fork: fork, exec: exec, exit: newExitFormat(readFormat(t, "sched_process_exit")),
	}
}

// raw builds the raw data of a tracepoint.
func raw(f traceFormat, values map[string]any) []byte {
	b := make([]byte, 128)
	binary.NativeEndian.PutUint16(b, f.id)
	for name, value := range values {
		field := f.fields[name]
		switch at := b[field.offset : field.offset+field.size]; v := value.(type) {
		case []byte:
			copy(at, v)
		case int:
			switch field.size {
			case 1:
				at[0] = byte(v)
			case 2:
				binary.NativeEndian.PutUint16(at, uint16(v))
			case 4:
				binary.NativeEndian.PutUint32(at, uint32(v))
			case 8:
				binary.NativeEndian.PutUint64(at, uint64(v))
			}
		}
	}
	return b
}

func TestDecodeHandshake(t *testing.T) {
	d, f := testDecoder(t), readFormat(t, "inet_sock_set_state")
	connect := raw(f, map[string]any{"skaddr": 77, "oldstate": 7, "newstate": 2, "dport": 80})
	e, ok := d.decode(perfSample{pid: 5, tid: 6, at: 9, raw: connect})
	if !ok || e.kind != connectEvent || e.pid != 5 || e.tid != 6 || e.socket != 77 || e.at != 9 {
		t.Errorf("%+v, %v", e, ok)
	}
	if e, ok := d.decode(perfSample{pid: -1, tid: -1, raw: connect}); ok {
		t.Errorf("the connect of nobody: %+v", e)
	}
	for _, test := range []struct {
		name  string
		tuple Tuple
		want  Tuple
	}{
		{"IPv4", tuple("[::ffff:10.0.0.1]:999", "[::ffff:169.254.169.254]:80"), tuple("10.0.0.1:999", "169.254.169.254:80")},
		{"IPv6", tuple("[fd00::1]:999", "[fd00:ec2::254]:80"), tuple("[fd00::1]:999", "[fd00:ec2::254]:80")},
	} {
		source, remote := test.tuple.Local.Addr().As16(), test.tuple.Remote.Addr().As16()
		end := raw(f, map[string]any{
			"skaddr": 77, "oldstate": 2, "newstate": 1, "sport": 999, "dport": 80, "saddr_v6": source[:], "daddr_v6": remote[:],
		})
		for _, pid := range []int{0, 5, -1} { // idle, somebody's, and of one that has ended (perf_event_pid, kernel/events/core.c)
			e, ok := d.decode(perfSample{pid: pid, tid: pid, raw: end})
			if !ok || e.kind != endEvent || e.tuple != test.want || e.socket != 77 || e.pid != 0 || e.tid != 0 {
				t.Errorf("%s, in process %d: %+v, %v", test.name, pid, e, ok)
			}
		}
	}
	if e, ok := d.decode(perfSample{pid: 5, raw: raw(f, map[string]any{"oldstate": 1, "newstate": 4})}); ok {
		t.Errorf("the end of a connection: %+v", e)
	}
}

func TestDecodeProcesses(t *testing.T) {
	d := testDecoder(t)
	fork, exit, exec := readFormat(t, "task_newtask"), readFormat(t, "sched_process_exit"), readFormat(t, "sched_process_exec")
	for _, test := range []struct {
		name string
		raw  []byte
		tid  int
		want traceEvent
	}{
		{"exec", append(raw(exec, map[string]any{"filename": 128 | 9<<16}), "/bin/cat\x00"...), 5, traceEvent{kind: execEvent, pid: 5, file: "/bin/cat"}},
		{"exec of a file whose name is cut off", raw(exec, map[string]any{"filename": 128 | 9<<16}), 5, traceEvent{kind: execEvent, pid: 5}},
		{"fork", raw(fork, map[string]any{"pid": 9}), 6, traceEvent{kind: forkEvent, pid: 5, child: 9}},
		{"clone of a sibling", raw(fork, map[string]any{"pid": 9, "clone_flags": cloneParent}), 5, traceEvent{kind: forkEvent, pid: 5, child: 9, sibling: true}},
		{"thread", raw(fork, map[string]any{"pid": 9, "clone_flags": cloneThread}), 5, traceEvent{}},
		{"exit", raw(exit, map[string]any{"group_dead": 1}), 6, traceEvent{kind: exitEvent, pid: 5}},
		{"exit of a thread", raw(exit, nil), 5, traceEvent{}},
		{"another tracepoint", []byte{1, 0}, 5, traceEvent{}},
		{"none", []byte{0, 0}, 5, traceEvent{}},
		{"too short", []byte{1}, 5, traceEvent{}},
	} {
		if e, ok := d.decode(perfSample{pid: -1, tid: -1, raw: test.raw}); ok {
			t.Errorf("%s, of nobody: %+v", test.name, e)
		}
		e, ok := d.decode(perfSample{pid: 5, tid: test.tid, raw: test.raw})
		if ok != (test.want.kind != 0) || ok && (e.kind != test.want.kind || e.pid != 5 || e.child != test.want.child || e.file != test.want.file || e.sibling != test.want.sibling) {
			t.Errorf("%s: %+v, %v", test.name, e, ok)
		}
	}
}

// A format without what is needed is none: who asks for its id would take the events to be there.
func TestFormatsThatLackFields(t *testing.T) {
	for _, test := range []struct {
		event, field string
		id           func(traceFormat) (uint16, error)
	}{
		{"sched_process_exec", "filename", func(f traceFormat) (uint16, error) { e, err := newExecFormat(f); return e.id, err }},
		{"task_newtask", "pid", func(f traceFormat) (uint16, error) { e, err := newForkFormat(f); return e.id, err }},
		{"task_newtask", "clone_flags", func(f traceFormat) (uint16, error) { e, err := newForkFormat(f); return e.id, err }},
	} {
		f := readFormat(t, test.event)
		if id, err := test.id(f); id != f.id || err != nil {
			t.Errorf("%s: %d, %v", test.event, id, err)
		}
		delete(f.fields, test.field)
		if id, err := test.id(f); id != 0 || err == nil {
			t.Errorf("%s without %s: %d, %v", test.event, test.field, id, err)
		}
	}
}

// Kernels before 6.17 do not tell whether a thread is the last.
func TestDecodeExitOnOlderKernels(t *testing.T) {
	f := readFormat(t, "sched_process_exit")
	delete(f.fields, "group_dead")
	d := decoder{exit: newExitFormat(f)}
	for tid, want := range map[int]bool{5: true, 6: false} {
		if _, ok := d.decode(perfSample{pid: 5, tid: tid, raw: raw(f, nil)}); ok != want {
			t.Errorf("thread %d of process 5: %v", tid, ok)
		}
	}
}
