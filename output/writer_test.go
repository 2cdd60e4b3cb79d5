package output

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
)

// writes remembers each Write by itself.
type writes []string

func (w *writes) Write(p []byte) (int, error) {
	*w = append(*w, string(p))
	return len(p), nil
}

// full takes so many bytes, then fails.
type full struct {
	room   int
	err    error
	writes int
}

func (f *full) Write(p []byte) (int, error) {
	f.writes++
	if n := min(len(p), f.room); n < len(p) {
		f.room = 0
		return n, f.err
	}
	f.room -= len(p)
	return len(p), nil
}

func testEntry() *Entry {
	e := NewEntry(testRecord(), testHost)
	return &e
}

func TestWriterWritesEachLineAtOnce(t *testing.T) {
	var out writes
	w := NewWriter(&out, "the log", false)
	for range 3 {
		if err := w.Call(testEntry()); err != nil {
			t.Fatal(err)
		}
	}
	l := testLifecycles()[0]
	if err := w.Lifecycle(&l); err != nil {
		t.Fatal(err)
	}
	if len(out) != 4 {
		t.Fatalf("%d writes of 4 lines", len(out))
	}
	for _, line := range out {
		if strings.Count(line, "\n") != 1 || !strings.HasSuffix(line, "\n") || !json.Valid([]byte(line)) {
			t.Errorf("not one line of JSON: %q", line)
		}
	}
}

func TestWriterBuffersWholeLines(t *testing.T) {
	var out writes
	w := NewWriter(&out, "the log", true)
	const lines = 200
	for range lines {
		if err := w.Call(testEntry()); err != nil {
			t.Fatal(err)
		}
	}
	if len(out) == 0 || len(out) > lines/10 {
		t.Errorf("%d writes of %d buffered lines", len(out), lines)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	for _, chunk := range out {
		if !strings.HasPrefix(chunk, "{") || !strings.HasSuffix(chunk, "}\n") {
			t.Errorf("not whole lines: %q…%q", chunk[:10], chunk[len(chunk)-10:])
		}
	}
	if n := strings.Count(strings.Join(out, ""), "\n"); n != lines {
		t.Errorf("%d lines of %d", n, lines)
	}
}

func TestWriterBufferedLongLine(t *testing.T) {
	var out writes
	w := NewWriter(&out, "the log", true)
	long := testRecord(target("/" + strings.Repeat("x", 2*bufferBytes)))
	e := NewEntry(long, testHost)
	for range 2 {
		if err := errors.Join(w.Call(testEntry()), w.Call(&e)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(strings.Join(out, ""), "\n"); n != 4 {
		t.Errorf("%d lines of 4", n)
	}
}

func TestWriterLifecycleIsFlushed(t *testing.T) {
	var out writes
	w := NewWriter(&out, "the log", true)
	l := testLifecycles()[0]
	if err := w.Lifecycle(&l); err != nil || len(out) != 1 {
		t.Errorf("%d writes, %v", len(out), err)
	}
}

func TestWriterErrors(t *testing.T) {
	tests := []struct {
		name    string
		err     error
		want    error
		message string
	}{
		{"disk full", &os.PathError{Op: "write", Path: "/var/log/x", Err: syscall.ENOSPC}, syscall.ENOSPC, "make room there"},
		{"over quota", syscall.EDQUOT, syscall.EDQUOT, "make room there"},
		{"closed pipe", syscall.EPIPE, syscall.EPIPE, "its reader has stopped reading"},
		{"other", syscall.EIO, syscall.EIO, "cannot write to the log"},
		{"short without error", nil, io.ErrShortWrite, "short write"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := &full{room: 100, err: tt.err}
			w := NewWriter(out, "the log", false)
			err := w.Call(testEntry())
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.message) || strings.Contains(err.Error(), "\n") {
				t.Errorf("got %v", err)
			}
			out.room = 1 << 20
			l := testLifecycles()[0]
			for _, again := range []error{w.Call(testEntry()), w.Flush(), w.Lifecycle(&l)} {
				if !errors.Is(again, tt.want) {
					t.Errorf("then %v", again)
				}
			}
			if out.writes != 1 {
				t.Errorf("%d writes: half a line was continued", out.writes)
			}
		})
	}
}

func TestWriterBufferedErrorShowsAtFlush(t *testing.T) {
	w := NewWriter(&full{err: syscall.ENOSPC}, "the log", true)
	if err := w.Call(testEntry()); err != nil {
		t.Errorf("early: %v", err)
	}
	if err := w.Flush(); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
}

// The logger has its own idea of what to do with errors: print them.
func TestWriterErrorIsNotPrinted(t *testing.T) {
	r, stderr, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	before := os.Stderr
	os.Stderr = stderr
	_ = NewWriter(&full{err: syscall.EPIPE}, "the log", false).Call(testEntry())
	os.Stderr = before
	stderr.Close()
	printed, err := io.ReadAll(r)
	if err != nil || len(printed) > 0 {
		t.Errorf("printed %q, %v", printed, err)
	}
}

func TestWriterToFullDevice(t *testing.T) {
	f, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := NewWriter(f, "/dev/full", false).Call(testEntry()); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("got %v", err)
	}
}

func TestWriterToClosedPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r.Close()
	if err := NewWriter(w, "standard output", false).Call(testEntry()); !errors.Is(err, syscall.EPIPE) {
		t.Errorf("got %v", err)
	}
}

// Whatever bytes an entry holds, its line is JSON that stands for them, and
// harmless on a terminal.
func FuzzAppendString(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\x00\x1f\x7f", "\xff\xc3", "é\u009b\u202e\u2028\U000e0041\ufffd", "<&>"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		line := appendString(nil, s)
		var got string
		if err := json.Unmarshal(line, &got); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if want := strings.ToValidUTF8(s, "\x00"); strings.Contains(s, "\ufffd") || strings.Contains(s, "\x00") {
			return // cannot be told from what stands for invalid bytes here
		} else if strings.ReplaceAll(got, "\ufffd", "") != strings.ReplaceAll(want, "\x00", "") {
			t.Errorf("%q became %q", s, got)
		}
		if bytes.IndexFunc(line, func(r rune) bool { return !isShown(r) }) >= 0 {
			t.Errorf("%q is not for showing", line)
		}
	})
}

// Of a call in a file, memory is taken for no more than the four values that its entry points
// to; the writer and the summary take none.
func TestEntryTakesLittleMemory(t *testing.T) {
	record := testRecord(offline)
	w, s := NewWriter(io.Discard, "nowhere", true), NewSummary()
	var callers Callers
	var e Entry
	each := testing.AllocsPerRun(1000, func() {
		callers.Describe(&e, &record, &Host{})
		s.Add(&e)
		if err := w.Call(&e); err != nil {
			t.Fatal(err)
		}
	})
	if each > 4 {
		t.Errorf("%v pieces of memory for each entry", each)
	}
}

func BenchmarkEntry(b *testing.B) {
	record, inFile := testRecord(), testRecord(offline)
	entry := NewEntry(record, testHost)
	b.Run("NewEntry", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			NewEntry(record, testHost)
		}
	})
	b.Run("Write", func(b *testing.B) {
		w := NewWriter(io.Discard, "nowhere", true)
		b.ReportAllocs()
		for b.Loop() {
			if err := w.Call(&entry); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("offline", func(b *testing.B) {
		w := NewWriter(io.Discard, "nowhere", true)
		var callers Callers
		var e Entry
		b.ReportAllocs()
		for b.Loop() {
			callers.Describe(&e, &inFile, &Host{})
			if err := w.Call(&e); err != nil {
				b.Fatal(err)
			}
		}
	})
}
