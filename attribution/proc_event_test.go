package attribution

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"reflect"
	"syscall"
	"testing"
)

// procMessage is a message as the kernel sends it.
func procMessage(answers, what uint32, at uint64, numbers ...uint32) []byte {
	b := make([]byte, netlinkHeaderLen+connectorHeaderLen+procEventHeaderLen)
	m := b[netlinkHeaderLen:]
	binary.NativeEndian.PutUint32(m, connectorProc)
	binary.NativeEndian.PutUint32(m[4:], connectorProc)
	binary.NativeEndian.PutUint32(m[8:], 4711) // the kernel's own count
	binary.NativeEndian.PutUint32(m[12:], answers+1)
	binary.NativeEndian.PutUint32(m[20:], what)
	binary.NativeEndian.PutUint64(m[28:], at)
	for _, n := range numbers {
		b = binary.NativeEndian.AppendUint32(b, n)
	}
	binary.NativeEndian.PutUint16(m[16:], uint16(len(b)-netlinkHeaderLen-connectorHeaderLen))
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], nlmsgDone)
	return b
}

func TestConnectorRequest(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		return // what follows is how a little-endian machine has it
	}
	for _, test := range []struct {
		operation uint32
		filtered  bool
		want      string
	}{
		{procListen, false, "28000000" + "0300" + "0000" + "00000000" + "00000000" + "0100000001000000" + "00000000" + "07000000" + "0400" + "0000" + "01000000"},
		{procIgnore, false, "28000000" + "0300" + "0000" + "00000000" + "00000000" + "0100000001000000" + "00000000" + "07000000" + "0400" + "0000" + "02000000"},
		{procListen, true, "2c000000" + "0300" + "0000" + "00000000" + "00000000" + "0100000001000000" + "00000000" + "07000000" + "0800" + "0000" + "01000000" + "03000080"},
	} {
		if got := hex.EncodeToString(connectorRequest(test.operation, 7, test.filtered)); got != test.want {
			t.Errorf("%d, filtered %v:\n%s, want\n%s", test.operation, test.filtered, got, test.want)
		}
	}
}

func TestProcEvents(t *testing.T) {
	for _, test := range []struct {
		name    string
		message []byte
		want    traceEvent // with kind 0 if there is none
	}{
		{"fork", procMessage(0, procFork, 5, 101, 100, 200, 200), traceEvent{kind: forkEvent, at: 5, pid: 100, child: 200}},
		{"a thread", procMessage(0, procFork, 5, 100, 100, 201, 200), traceEvent{}},
		{"exec", procMessage(0, procExec, 6, 201, 200), traceEvent{kind: execEvent, at: 6, pid: 200}},
		{"exit", procMessage(0, procExit, 7, 200, 200, 0, 17, 100, 100), traceEvent{kind: exitEvent, at: 7, pid: 200}},
		{"end of a thread", procMessage(0, procExit, 7, 201, 200, 0, 17, 100, 100), traceEvent{}},
		{"another user", procMessage(0, 4, 7, 200, 200, 0, 0), traceEvent{}},
		{"an answer", procMessage(7, procAck, 7, 0, 0, 0, 0), traceEvent{}},
		{"in a pid namespace that is not ours", procMessage(0, procExec, 6, 0, 0), traceEvent{}},
		{"of a pid that cannot be", procMessage(0, procExec, 6, 0xffffffff, 0xffffffff), traceEvent{}},
		{"cut off", procMessage(0, procFork, 5, 101, 100, 200), traceEvent{}},
		{"without pids", procMessage(0, procExit, 5), traceEvent{}},
	} {
		m, err := parseConnector(test.message)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		e, ok := m.event()
		if ok != (test.want.kind != 0) || ok && !reflect.DeepEqual(e, test.want) {
			t.Errorf("%s: %+v, %v, want %+v", test.name, e, ok, test.want)
		}
	}
}

func TestConnectorAnswers(t *testing.T) {
	for _, test := range []struct {
		name    string
		message []byte
		ours    bool
		err     error
	}{
		{"yes", procMessage(7, procAck, 1, 0), true, nil},
		{"no", procMessage(7, procAck, 1, uint32(syscall.EPERM)), true, syscall.EPERM},
		{"to another program", procMessage(8, procAck, 1, 0), false, nil},
		{"an event", procMessage(7, procExec, 1, 5, 5), false, nil},
		{"empty", procMessage(7, procAck, 1), false, nil},
	} {
		m, err := parseConnector(test.message)
		if err != nil {
			t.Fatalf("%s: %v", test.name, err)
		}
		if ours, err := m.answers(7); ours != test.ours || !errors.Is(err, test.err) {
			t.Errorf("%s: %v, %v", test.name, ours, err)
		}
	}
}

func TestConnectorErrors(t *testing.T) {
	other := procMessage(0, procExec, 1, 5, 5)
	other[netlinkHeaderLen] = 9
	short := procMessage(0, procExec, 1)
	short = short[:len(short)-1]
	binary.NativeEndian.PutUint32(short, uint32(len(short)))
	for name, b := range map[string][]byte{"nothing": nil, "another connector": other, "short": short} {
		if m, err := parseConnector(b); err == nil {
			t.Errorf("%s: %+v", name, m)
		}
	}
}

func FuzzProcEvent(f *testing.F) {
	f.Add(procMessage(0, procFork, 5, 101, 100, 200, 200))
	f.Add(procMessage(0, procExec, 6, 201, 200))
	f.Add(procMessage(0, procExit, 7, 200, 200, 0, 17, 100, 100))
	f.Add(procMessage(7, procAck, 1, 1))
	f.Fuzz(func(t *testing.T, b []byte) {
		m, err := parseConnector(b)
		if err != nil {
			return
		}
		if _, err := m.answers(7); err != nil && m.what != procAck {
			t.Errorf("%v of %+v", err, m)
		}
		if e, ok := m.event(); ok && (e.pid <= 0 || e.kind == forkEvent && e.child <= 0) {
			t.Errorf("%+v", e)
		}
	})
}
