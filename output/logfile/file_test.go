package logfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// opened opens the file, and closes it with the test.
func opened(t *testing.T, name string, o Options) *File {
	t.Helper()
	f, err := Open(name, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

// add writes lines at once.
func add(t *testing.T, f *File, lines ...string) {
	t.Helper()
	text := strings.Join(lines, "\n") + "\n"
	if n, err := f.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("%d bytes of %d, %v", n, len(text), err)
	}
}

// put makes a file with the text.
func put(t *testing.T, name, text string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// checkHolds makes sure of what is in a file; gone is what is in one that is not there.
func checkHolds(t *testing.T, name, want string) {
	t.Helper()
	data, err := os.ReadFile(name)
	got := string(data)
	if errors.Is(err, os.ErrNotExist) {
		got = gone
	}
	if got != want {
		t.Errorf("%s holds %.300q, want %.300q", filepath.Base(name), got, want)
	}
}

const gone = "(gone)"

func TestAppend(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	for _, line := range []string{"a", "b"} {
		f, err := Open(name, Options{})
		if err != nil {
			t.Fatal(err)
		}
		add(t, f, line)
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	checkHolds(t, name, "a\nb\n")
	if info, err := os.Stat(name); err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
}

// What a process has left behind that was killed is mended when the file is opened.
func TestEndIsMended(t *testing.T) {
	long := strings.Repeat("x", 2*maxTail)
	tests := []struct {
		name, before, after string
		cut                 uint64
	}{
		{"empty", "", "", 0},
		{"whole", "{\"a\":1}\n", "{\"a\":1}\n", 0},
		{"half a line", "{\"a\":1}\n{\"@timest", "{\"a\":1}\n", 1},
		{"half of the only line", "{\"@timest", "", 1},
		{"one byte", "{\"a\":1}\n{", "{\"a\":1}\n", 1},
		{"without its line feed", "{\"a\":1}\n{\"b\":2}", "{\"a\":1}\n{\"b\":2}\n", 0},
		{"zeros", "{\"a\":1}\n\x00\x00\x00", "{\"a\":1}\n", 1},
		{"half a line and zeros", "{\"a\":1}\n{\"b\":2\x00\x00", "{\"a\":1}\n", 1},
		{"somebody's text", "hello\nworld", "hello\nworld\n", 0},
		{"a long line", "{" + long, "{" + long + "\n", 0},
		{"a long file", "{" + long + "\n{\"b", "{" + long + "\n", 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := put(t, filepath.Join(t.TempDir(), "log"), tt.before)
			f := opened(t, name, Options{})
			if f.CutOff() != tt.cut {
				t.Errorf("%d lines were cut off, want %d", f.CutOff(), tt.cut)
			}
			add(t, f, "new")
			checkHolds(t, name, tt.after+"new\n")
		})
	}
}

// A start that was killed before its first line took nothing away that the next one is to
// tell of.
func TestHalfLineStaysUntilTheNext(t *testing.T) {
	const half = "{\"a\":1}\n{\"@timest"
	name := put(t, filepath.Join(t.TempDir(), "log"), half)
	for range 2 {
		f := opened(t, name, Options{})
		if f.CutOff() != 1 {
			t.Errorf("%d lines are cut off, want 1", f.CutOff())
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		checkHolds(t, name, half)
	}
}

// What others have made of the file since is theirs.
func TestHalfLineOfOthersStays(t *testing.T) {
	name := put(t, filepath.Join(t.TempDir(), "log"), "{\"@timest")
	f := opened(t, name, Options{})
	put(t, name, "{\"whole\":1}\n")
	add(t, f, "new")
	checkHolds(t, name, "{\"whole\":1}\nnew\n")
}

// Half a line is none: a file of nothing else is not rotated for what comes.
func TestHalfLineIsNotRotated(t *testing.T) {
	name := put(t, filepath.Join(t.TempDir(), "log"), "{\"@timest")
	f := opened(t, name, Options{RotateSize: 8, Keep: 1})
	add(t, f, "aaa")
	checkHolds(t, name, "aaa\n")
	checkHolds(t, numbered(name, 1), gone)
}

func TestRotation(t *testing.T) {
	tests := []struct {
		name   string
		size   int64
		keep   int
		writes []string // each at once
		want   []string // in log, log.1 and so on
	}{
		{"never", 0, 1, []string{"aaa", "bbb"}, []string{"aaa\nbbb\n", gone}},
		{"just fits", 8, 1, []string{"aaa", "bbb"}, []string{"aaa\nbbb\n", gone}},
		{"one too many", 8, 1, []string{"aaa", "bbb", "ccc"}, []string{"ccc\n", "aaa\nbbb\n", gone}},
		{"the oldest goes", 4, 2, []string{"a", "aaa", "bbb", "ccc", "ddd"}, []string{"ddd\n", "ccc\n", "bbb\n", gone}},
		{"many at once", 8, 3, []string{"aaa\nbbb\nccc\nddd\neee"}, []string{"eee\n", "ccc\nddd\n", "aaa\nbbb\n", gone}},
		{"a line that is too long", 4, 3, []string{"a", "bbbbbbbb", "c"}, []string{"c\n", "bbbbbbbb\n", "a\n", gone}},
		{"the first is too long", 4, 3, []string{"bbbbbbbb\nc"}, []string{"c\n", "bbbbbbbb\n", gone}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "log")
			f := opened(t, name, Options{RotateSize: tt.size, Keep: tt.keep})
			for _, lines := range tt.writes {
				add(t, f, lines)
			}
			checkHolds(t, name, tt.want[0])
			for n, want := range tt.want[1:] {
				checkHolds(t, numbered(name, n+1), want)
			}
			if f.Err() != nil {
				t.Error(f.Err())
			}
		})
	}
}

// A file that is too large already is rotated before anything is written to it, and a
// number that is free is used before the oldest goes.
func TestRotationOfWhatIsThere(t *testing.T) {
	dir := t.TempDir()
	name := put(t, filepath.Join(dir, "log"), "large\n")
	put(t, numbered(name, 1), "one\n")
	put(t, numbered(name, 3), "three\n")
	f := opened(t, name, Options{RotateSize: 6, Keep: 3})
	add(t, f, "a")
	for n, want := range []string{"large\n", "one\n", "three\n", gone} {
		checkHolds(t, numbered(name, n+1), want)
	}
	add(t, f, "bbbb")
	for n, want := range []string{"a\n", "large\n", "one\n", gone} {
		checkHolds(t, numbered(name, n+1), want)
	}
}

// What others have given the log's name to is not rotated, and neither is anything for a log that
// others have renamed already.
func TestRotationAfterOthers(t *testing.T) {
	for _, tt := range []struct {
		name, theirs string // what has the name then
		want         []string
		err          error
	}{
		{"nothing", gone, []string{"bbb\n", "one\n", "two\n"}, nil},
		{"another log", "c\n", []string{"c\nbbb\n", "one\n", "two\n"}, nil},
		{"a capture", "capture", []string{"capture", "one\n", "two\n"}, ErrCapture},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "log")
			put(t, numbered(name, 1), "one\n")
			put(t, numbered(name, 2), "two\n")
			f := opened(t, name, Options{RotateSize: 6, Keep: 2, IsCapture: func(head []byte) bool { return string(head) == "capture" }})
			add(t, f, "aaa")
			if err := os.Rename(name, name+".old"); err != nil {
				t.Fatal(err)
			}
			if tt.theirs != gone {
				put(t, name, tt.theirs)
			}
			add(t, f, "bbb")
			for n, want := range tt.want {
				if n == 0 {
					checkHolds(t, name, want)
					continue
				}
				checkHolds(t, numbered(name, n), want)
			}
			if !errors.Is(f.Err(), tt.err) {
				t.Errorf("error %v", f.Err())
			}
		})
	}
}

// A file that cannot be rotated is written to all the same, and it is tried again.
func TestRotationFails(t *testing.T) {
	name := filepath.Join(t.TempDir(), "log")
	f := opened(t, name, Options{RotateSize: 4, Keep: 1})
	at := time.Unix(1_800_000_000, 0)
	f.now = func() time.Time { return at }
	if err := os.MkdirAll(filepath.Join(numbered(name, 1), "in"), 0o700); err != nil {
		t.Fatal(err)
	}
	add(t, f, "aaa", "bbb")
	add(t, f, "ccc")
	if f.Err() == nil || !strings.Contains(f.Err().Error(), "cannot rotate "+name) {
		t.Errorf("error %v", f.Err())
	}
	if err := os.RemoveAll(numbered(name, 1)); err != nil {
		t.Fatal(err)
	}
	add(t, f, "ddd")
	checkHolds(t, name, "aaa\nbbb\nccc\nddd\n")
	at = at.Add(retryEvery)
	add(t, f, "eee")
	checkHolds(t, name, "eee\n")
	checkHolds(t, numbered(name, 1), "aaa\nbbb\nccc\nddd\n")
	if f.Err() != nil {
		t.Error(f.Err())
	}
}

func TestReopen(t *testing.T) {
	dir := t.TempDir()
	name, moved := filepath.Join(dir, "log"), filepath.Join(dir, "moved")
	f := opened(t, name, Options{})
	add(t, f, "a")
	f.Reopen() // nobody has done anything
	add(t, f, "b")
	if err := os.Rename(name, moved); err != nil {
		t.Fatal(err)
	}
	add(t, f, "c") // before the signal comes
	f.Reopen()
	add(t, f, "d")
	checkHolds(t, moved, "a\nb\nc\n")
	checkHolds(t, name, "d\n")
	if f.Err() != nil {
		t.Error(f.Err())
	}
}

// A file that holds something else stays as it is, also when it has the log's name later.
func TestCaptureIsNoLog(t *testing.T) {
	const magic = "\xd4\xc3\xb2\xa1"
	dir := t.TempDir()
	name, kept := filepath.Join(dir, "log"), put(t, filepath.Join(dir, "kept"), magic)
	if err := os.Chmod(kept, 0o644); err != nil {
		t.Fatal(err)
	}
	options := Options{IsCapture: func(head []byte) bool { return strings.HasPrefix(string(head), magic) }}
	if f, err := Open(kept, options); !errors.Is(err, ErrCapture) || !strings.Contains(err.Error(), kept) {
		t.Errorf("%v, %v", f, err)
	}
	f := opened(t, name, options)
	add(t, f, "a")
	if err := errors.Join(os.Rename(name, name+".1"), os.Rename(kept, name)); err != nil {
		t.Fatal(err)
	}
	f.Reopen()
	add(t, f, "b")
	checkHolds(t, name+".1", "a\nb\n")
	checkHolds(t, name, magic)
	if info, err := os.Stat(name); err != nil || info.Mode().Perm() == mode && runtime.GOOS != "windows" || !errors.Is(f.Err(), ErrCapture) {
		t.Errorf("mode %v, %v; %v", info.Mode(), err, f.Err())
	}
}

// Where there can be no new file, the one before is written to until there can.
func TestReopenFails(t *testing.T) {
	dir := t.TempDir()
	name, moved := filepath.Join(dir, "log"), filepath.Join(dir, "moved")
	f := opened(t, name, Options{RotateSize: 6, Keep: 1})
	at := time.Unix(1_800_000_000, 0)
	f.now = func() time.Time { return at }
	add(t, f, "a")
	if err := errors.Join(os.Rename(name, moved), os.Mkdir(name, 0o700)); err != nil {
		t.Fatal(err)
	}
	f.Reopen()
	add(t, f, "bbbb") // which is not the time to rotate it
	if !errors.Is(f.Err(), ErrNotRegular) {
		t.Errorf("error %v", f.Err())
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	at = at.Add(retryEvery)
	add(t, f, "c")
	checkHolds(t, moved, "a\nbbbb\n")
	checkHolds(t, name, "c\n")
	if f.Err() != nil {
		t.Error(f.Err())
	}
}

// A file that was deleted, with its directory, takes nothing that nobody would find: it
// fails until there can be a new one.
func TestDeleted(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "logs")
	name := filepath.Join(dir, "log")
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	f := opened(t, name, Options{RotateSize: 6, Keep: 1})
	add(t, f, "a")
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := f.Write([]byte("b\n")); n != 0 || !errors.Is(err, os.ErrNotExist) {
			t.Errorf("%d bytes are written, %v", n, err)
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	add(t, f, "b")
	checkHolds(t, name, "b\n")
	if f.Err() != nil {
		t.Error(f.Err())
	}
}

// Whatever a file holds, what is added are lines of their own, and only half entries
// are lost.
func FuzzEnd(f *testing.F) {
	for _, seed := range []string{"", "{", "{\"a\":1}", "{\"a\":1}\n", "\x00", "text", "a\n{\"b"} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, tail []byte, more bool) {
		e := endOfTail(tail, more)
		left, cut := tail[:len(tail)-int(e.cut)], tail[len(tail)-int(e.cut):]
		if e.open {
			left = append(slices.Clone(left), '\n')
		}
		if len(left) > 0 && left[len(left)-1] != '\n' {
			t.Errorf("%q would become %q", tail, left)
		}
		if len(cut) > 0 && (cut[0] != '{' && cut[0] != 0 || strings.Contains(string(cut), "\n") || len(left) == 0 && more) {
			t.Errorf("%q would lose %q", tail, cut)
		}
	})
}

// numbers are lines that tell where they belong.
func numbers(from, to int) []string {
	var lines []string
	for n := from; n < to; n++ {
		lines = append(lines, fmt.Sprintf(`{"n":%d,"pad":%q}`, n, strings.Repeat("x", n%700)))
	}
	return lines
}
