package attribution

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"syscall"
	"testing"
)

// diagReply is a socket as the kernel sends it.
func diagReply(sequence uint32, t Tuple, state uint8, uid, inode uint32) []byte {
	b := make([]byte, netlinkHeaderLen+diagSocketLen)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], sockDiagByFamily)
	binary.NativeEndian.PutUint32(b[8:], sequence)
	body := b[netlinkHeaderLen:]
	body[0], body[1] = familyOf(t.Local.Addr()), state
	binary.BigEndian.PutUint16(body[4:], t.Local.Port())
	binary.BigEndian.PutUint16(body[6:], t.Remote.Port())
	copy(body[8:24], t.Local.Addr().AsSlice())
	copy(body[24:40], t.Remote.Addr().AsSlice())
	binary.NativeEndian.PutUint32(body[64:], uid)
	binary.NativeEndian.PutUint32(body[68:], inode)
	return b
}

// status is the message that ends a request.
func status(kind uint16, errno int32) []byte {
	b := make([]byte, netlinkHeaderLen+4)
	binary.NativeEndian.PutUint32(b, uint32(len(b)))
	binary.NativeEndian.PutUint16(b[4:], kind)
	binary.NativeEndian.PutUint32(b[netlinkHeaderLen:], uint32(errno))
	return b
}

func TestDiagLookUp(t *testing.T) {
	for _, test := range []struct {
		tuple Tuple
		want  string // family, protocol, extensions; states; ports; addresses; interface; cookie
	}{
		{tuple("10.0.0.5:258", "169.254.169.254:80"), "02060000 ffffffff 01020050 0a000005000000000000000000000000 a9fea9fe000000000000000000000000 07000000 ffffffffffffffff"},
		{tuple("[2001:db8::5]:258", "[fd00:ec2::254]:80"), "0a060000 ffffffff 01020050 20010db8000000000000000000000005 fd000ec2000000000000000000000254 07000000 ffffffffffffffff"},
	} {
		b := diagLookUp(test.tuple, binary.NativeEndian.Uint32([]byte{7, 0, 0, 0}), 3)
		want, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(test.want), []byte(" "), nil)))
		if err != nil {
			t.Fatal(err)
		}
		m, rest, err := nextMessage(b)
		if err != nil || m.kind != sockDiagByFamily || m.sequence != 3 || len(rest) != 0 {
			t.Errorf("%+v, %v", m, err)
		}
		if !bytes.Equal(m.body, want) {
			t.Errorf("%x, want %x", m.body, want)
		}
		if flags := binary.NativeEndian.Uint16(b[6:]); flags != nlmFRequest {
			t.Errorf("flags %#x", flags)
		}
	}
}

func TestDiagProbe(t *testing.T) {
	b := diagProbe(9)
	if flags := binary.NativeEndian.Uint16(b[6:]); flags != nlmFRequest|nlmFDump {
		t.Errorf("flags %#x", flags)
	}
	if states := binary.NativeEndian.Uint32(b[20:]); states != 0 {
		t.Errorf("states %#x", states)
	}
}

func TestDiagSocket(t *testing.T) {
	for _, test := range []struct{ sent, read Tuple }{
		{tuple("10.0.0.5:1", "169.254.169.254:80"), tuple("10.0.0.5:1", "169.254.169.254:80")},
		{tuple("[2001:db8::5]:1", "[fd00:ec2::254]:80"), tuple("[2001:db8::5]:1", "[fd00:ec2::254]:80")},
		{tuple("[::ffff:10.0.0.5]:1", "[::ffff:169.254.169.254]:80"), tuple("10.0.0.5:1", "169.254.169.254:80")},
	} {
		m, _, err := nextMessage(diagReply(1, test.sent, 2, 1000, 4711))
		if err != nil {
			t.Fatal(err)
		}
		s, err := m.socket()
		if want := (diagSocket{tuple: test.read, state: 2, uid: 1000, inode: 4711}); s != want || err != nil {
			t.Errorf("%+v, %v, want %+v", s, err, want)
		}
	}
}

func TestDiagErrors(t *testing.T) {
	socket := diagReply(1, tuple("10.0.0.5:1", "169.254.169.254:80"), 1, 0, 1)
	strange := bytes.Clone(socket)
	strange[netlinkHeaderLen] = 77 // family
	short := bytes.Clone(socket[:netlinkHeaderLen+8])
	binary.NativeEndian.PutUint32(short, uint32(len(short)))
	for _, test := range []struct {
		name string
		b    []byte
		want error // nil if any will do
		ok   bool
	}{
		{"no such socket", status(nlmsgError, -int32(syscall.ENOENT)), syscall.ENOENT, false},
		{"end of a probe", status(nlmsgDone, 0), nil, true},
		{"end of a probe without tcp_diag", status(nlmsgDone, -int32(syscall.ENOENT)), syscall.ENOENT, false},
		{"nothing", nil, errShortReply, false},
		{"cut off", socket[:40], errShortReply, false},
		{"too short", short, errShortReply, false},
		{"strange family", strange, nil, false},
		{"strange kind", status(99, 0), nil, false},
	} {
		m, _, err := nextMessage(test.b)
		if err == nil {
			_, err = m.socket()
		}
		if (err == nil) != test.ok || test.want != nil && !errors.Is(err, test.want) {
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		}
	}
}

func FuzzDiagReply(f *testing.F) {
	f.Add(diagReply(1, tuple("10.0.0.5:1", "169.254.169.254:80"), 1, 0, 1))
	f.Add(diagReply(1, tuple("[2001:db8::5]:1", "[fd00:ec2::254]:80"), 1, 0, 1))
	f.Add(append(status(nlmsgDone, 0), status(nlmsgError, -2)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			m, rest, err := nextMessage(b)
			if err != nil {
				return
			}
			if len(rest) >= len(b) || len(m.body) > len(b) {
				t.Fatalf("%d bytes left of %d", len(rest), len(b))
			}
			if s, err := m.socket(); err == nil && m.kind == sockDiagByFamily && !s.tuple.Local.Addr().IsValid() {
				t.Fatalf("a socket without address: %+v", s)
			}
			b = rest
		}
	})
}
