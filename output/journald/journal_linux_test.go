package journald

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// server takes entries as the journal does.
type server struct {
	*net.UnixConn
	name string
}

func newServer(t *testing.T, name string) *server {
	t.Helper()
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &server{c, name}
}

// next returns the fields of the next entry, and whether it came as a file.
func (s *server) next(t *testing.T) (entry map[string]string, asFile bool) {
	t.Helper()
	data, rights := make([]byte, 1<<20), make([]byte, 64)
	n, r, _, _, err := s.ReadMsgUnix(data, rights)
	if err != nil {
		t.Fatal(err)
	}
	data = data[:n]
	if r > 0 {
		data = contentOf(t, rights[:r])
	}
	return parse(t, data), r > 0
}

// contentOf reads the file that came, which has to be sealed.
func contentOf(t *testing.T, rights []byte) []byte {
	t.Helper()
	messages, err := unix.ParseSocketControlMessage(rights)
	if err != nil {
		t.Fatal(err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil {
		t.Fatal(err)
	}
	file := os.NewFile(uintptr(fds[0]), "entry")
	defer file.Close()
	const want = unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE | unix.F_SEAL_SEAL
	if seals, err := unix.FcntlInt(file.Fd(), unix.F_GET_SEALS, 0); err != nil || seals != want {
		t.Errorf("seals %x, %v", seals, err)
	}
	content, err := io.ReadAll(io.NewSectionReader(file, 0, 1<<30))
	if err != nil {
		t.Fatal(err)
	}
	return content
}

// parse reads fields with lengths.
func parse(t *testing.T, data []byte) map[string]string {
	t.Helper()
	entry := map[string]string{}
	for len(data) > 0 {
		name, rest, ok := bytes.Cut(data, []byte("\n"))
		if !ok || len(rest) < 8 {
			t.Fatalf("no field: %q", data)
		}
		n := binary.LittleEndian.Uint64(rest)
		if uint64(len(rest)) < 9+n || rest[8+n] != '\n' {
			t.Fatalf("field %s of %d bytes: %d are there", name, n, len(rest))
		}
		entry[string(name)], data = string(rest[8:8+n]), rest[9+n:]
	}
	return entry
}

func TestEntries(t *testing.T) {
	s := newServer(t, filepath.Join(t.TempDir(), "socket"))
	j, err := Open(s.name)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	const start = `{"@timestamp":"2026-11-23T04:30:49.850998123Z","log.level":`
	tests := []struct {
		name, line, priority string
		asFile               bool
	}{
		{"warning", start + `"warning","message":"v1"}`, "4", false},
		{"info", start + `"info","message":"v2"}`, "6", false},
		{"without a time", `{"log.level":"warning","message":"v1"}`, "4", false},
		{"words further on", start + `"info","message":"v2","process":{"args":["\"log.level\":\"warning\""]}}`, "6", false},
		{"long", start + `"warning","message":"` + strings.Repeat("x", 1<<20) + `"}`, "4", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if n, err := j.Write([]byte(tt.line + "\n")); n != len(tt.line)+1 || err != nil {
				t.Fatalf("%d bytes of %d, %v", n, len(tt.line)+1, err)
			}
			entry, asFile := s.next(t)
			if len(entry) != 3 || entry["MESSAGE"] != tt.line || entry["PRIORITY"] != tt.priority ||
				entry["SYSLOG_IDENTIFIER"] != "imds-analyzer" || asFile != tt.asFile {
				t.Errorf("as a file: %v, %.300v", asFile, entry)
			}
		})
	}
}

func TestLinesAreEntries(t *testing.T) {
	s := newServer(t, filepath.Join(t.TempDir(), "socket"))
	j, err := Open(s.name)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if n, err := j.Write([]byte("a\nb\nc\n")); n != 6 || err != nil {
		t.Fatalf("%d bytes, %v", n, err)
	}
	for _, want := range []string{"a", "b", "c"} {
		if entry, _ := s.next(t); entry["MESSAGE"] != want {
			t.Errorf("%v, want %s", entry, want)
		}
	}
}

func TestNobodyListens(t *testing.T) {
	if _, err := Open(filepath.Join(t.TempDir(), "socket")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// A journal that is started anew has what comes then.
func TestJournalIsStartedAnew(t *testing.T) {
	name := filepath.Join(t.TempDir(), "socket")
	first := newServer(t, name)
	j, err := Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	if err := errors.Join(first.Close(), os.Remove(name)); err != nil {
		t.Fatal(err)
	}
	if n, err := j.Write([]byte("a\n")); n != 0 || err == nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	second := newServer(t, name)
	if n, err := j.Write([]byte("a\n")); n != 2 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if entry, _ := second.next(t); entry["MESSAGE"] != "a" {
		t.Errorf("%v", entry)
	}
}

// A journal that takes nothing is not waited for: what it has not taken is told.
func TestJournalIsStuck(t *testing.T) {
	s := newServer(t, filepath.Join(t.TempDir(), "socket"))
	j, err := Open(s.name)
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close()
	lines := strings.Repeat("a\n", 1<<16) // more than a socket's queue
	n, err := j.Write([]byte(lines))
	if !errors.Is(err, os.ErrDeadlineExceeded) || n == 0 || n == len(lines) {
		t.Fatalf("%d bytes of %d, %v", n, len(lines), err)
	}
	for range n / 2 {
		s.next(t)
	}
	if n, err := j.Write([]byte("b\n")); n != 2 || err != nil {
		t.Errorf("%d bytes, %v", n, err)
	}
	if entry, _ := s.next(t); entry["MESSAGE"] != "b" {
		t.Errorf("%v", entry)
	}
}
