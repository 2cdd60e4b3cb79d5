package cli

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imds-analyzer/output"
	"imds-analyzer/report"
)

// kept opens the state of a file, and ends with the test.
func kept(t *testing.T, file string) *keeper {
	t.Helper()
	k, limit, err := openKeeper(file)
	if err != nil || limit != "" {
		t.Fatalf("%v, %q", err, limit)
	}
	return k
}

// stateCalls is how many calls of version 1 the state in the file has counted.
func stateCalls(t *testing.T, file string) uint64 {
	t.Helper()
	state, err := readState(file)
	if err != nil || state == nil {
		t.Fatalf("state %v, error %v", state, err)
	}
	b := report.New(report.Options{})
	if err := b.State(state); err != nil {
		t.Fatal(err)
	}
	return b.Report().Calls.V1
}

// v1Call is the entry of a call without a token.
func v1Call(sequence uint64, at time.Time) *output.Entry {
	return &output.Entry{
		Timestamp: at,
		Event:     output.Event{Dataset: output.DatasetCall, Action: "imds-v1-request", Outcome: "success", Sequence: sequence},
		IMDS:      output.IMDS{Version: "v1"},
	}
}

func TestStateGoesOn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	at := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	for run := range uint64(3) {
		k := kept(t, file)
		session := output.Session{Started: at.Add(time.Duration(run) * time.Hour), BootID: "c3b1b2a0"}
		start := session.Start()
		k.lifecycle(&start, nil)
		k.call(v1Call(1, session.Started.Add(time.Second)))
		k.call(v1Call(2, session.Started.Add(2*time.Second)))
		k.save()
		if err := k.close(); err != nil {
			t.Fatal(err)
		}
		if got, want := stateCalls(t, file), 2*(run+1); got != want {
			t.Errorf("after run %d there are %d calls, want %d", run+1, got, want)
		}
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != logFileMode {
		t.Errorf("mode %v, error %v", info.Mode(), err)
	}
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) != 2 { // and the lock
		t.Errorf("beside it: %v, %v", names, err)
	}
}

func TestStateDamaged(t *testing.T) {
	for name, content := range map[string]string{"cut": `{"kind":`, "empty": "", "log": `{"event":{"dataset":"imds.call"}}` + "\n", "text": "hello\n"} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "state.json")
			if err := os.WriteFile(file, []byte(content), logFileMode); err != nil {
				t.Fatal(err)
			}
			k, limit, err := openKeeper(file)
			if err != nil || !strings.Contains(limit, file+".unreadable") {
				t.Fatalf("limit %q, error %v", limit, err)
			}
			if aside, err := os.ReadFile(file + ".unreadable"); err != nil || string(aside) != content {
				t.Errorf("put aside: %q, %v", aside, err)
			}
			if err := k.close(); err != nil {
				t.Fatal(err)
			}
			if n := stateCalls(t, file); n != 0 {
				t.Errorf("%d calls in a new state", n)
			}
		})
	}
}

// A state cut off anywhere, as by a disk that is full, is never taken for a whole one.
func TestStateCut(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	k := kept(t, file)
	k.call(v1Call(1, time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)))
	k.save()
	if err := k.close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for n := range strings.TrimRight(string(whole), "\n") {
		if _, err := report.ReadState(strings.NewReader(string(whole[:n]))); !errors.Is(err, report.ErrState) {
			t.Fatalf("the first %d bytes of %d: error %v", n, len(whole), err)
		}
	}
}

func TestStateInUse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "state.json")
	first := kept(t, file)
	if _, _, err := openKeeper(file); !errors.Is(err, errInUse) {
		t.Errorf("error %v", err)
	}
	if err := first.close(); err != nil {
		t.Fatal(err)
	}
	if err := kept(t, file).close(); err != nil {
		t.Error(err)
	}
}

func TestStateCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "gone")
	file := filepath.Join(dir, "state.json")
	if _, _, err := openKeeper(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("in a directory that is not there: error %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	k := kept(t, file)
	var said []error
	k.say = func(err error) { said = append(said, err) }
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	k.save()
	k.save()
	if len(said) != 1 || !errors.Is(said[0], os.ErrNotExist) {
		t.Errorf("it was said: %v", said)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	k.save()
	if err := k.close(); err != nil {
		t.Errorf("after it was written: %v", err)
	}
}

// A file that cannot be written as a whole stays as it was.
func TestWriteAtomically(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write := func(text string, err error) error {
		return writeAtomically(file, func(w io.Writer) error {
			_, failed := io.WriteString(w, text)
			return errors.Join(failed, err)
		})
	}
	if err := write("one", nil); err != nil {
		t.Fatal(err)
	}
	if err := write("two", io.ErrShortWrite); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("error %v", err)
	}
	if content, err := os.ReadFile(file); err != nil || string(content) != "one" {
		t.Errorf("it holds %q, %v", content, err)
	}
	if names, err := os.ReadDir(filepath.Dir(file)); err != nil || len(names) != 1 {
		t.Errorf("beside it: %v, %v", names, err)
	}
}
