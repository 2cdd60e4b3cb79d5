package cli

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"imds-analyzer/metrics"
)

// The file has the text as a whole, for all to read, and nothing is left beside it.
func TestTextfile(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "imds.prom")
	f := newTextfile(name, time.Hour, func(err error) { t.Error(err) })
	f.put([]byte("first\n"))
	f.end([]byte("last\n"))
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	if text, _ := os.ReadFile(name); string(text) != "last\n" {
		t.Errorf("it holds %q", text)
	}
	if names, _ := os.ReadDir(dir); len(names) != 1 {
		t.Errorf("beside it there is something: %v", names)
	}
}

// What cannot be written is told once, and written when it can be.
func TestTextfileComesBack(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	said := make(chan error, 9)
	f := newTextfile(filepath.Join(dir, "imds.prom"), time.Hour, func(err error) { said <- err })
	f.put([]byte("1\n"))
	if err := <-said; !strings.Contains(err.Error(), "later") {
		t.Errorf("it is said: %v", err)
	}
	f.texts <- []byte("2\n")
	f.texts <- []byte("3\n") // 2 is behind it: that it fails again is not said
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	f.end([]byte("4\n"))
	text, err := os.ReadFile(filepath.Join(dir, "imds.prom"))
	if err != nil || string(text) != "4\n" || len(said) > 0 {
		t.Errorf("%q, %v, %d more errors are told", text, err, len(said))
	}
}

// A disk that has stalled holds up neither the capture nor, for long, its end.
func TestTextfileStalled(t *testing.T) {
	f := &textfile{texts: make(chan []byte, 1), ended: make(chan struct{})} // nobody writes
	for range 3 {
		f.put([]byte("x\n"))
	}
	f.end([]byte("y\n"))
	if text := <-f.texts; string(text) != "x\n" {
		t.Errorf("%q waits", text)
	}
}

// Who has opened the file reads what it held then, also while it is written anew.
func TestTextfileIsReplaced(t *testing.T) {
	f := &textfile{name: filepath.Join(t.TempDir(), "imds.prom")}
	if err := f.write([]byte("the first, which is longer\n")); err != nil {
		t.Fatal(err)
	}
	opened, err := os.Open(f.name)
	if err != nil {
		t.Fatal(err)
	}
	defer opened.Close()
	if err := f.write([]byte("the second\n")); err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(opened); err != nil || string(text) != "the first, which is longer\n" {
		t.Errorf("%v, %q", err, text)
	}
}

// A program that is ended while its log has stalled says that it is gone.
func TestTextfileDown(t *testing.T) {
	(*textfile)(nil).down()
	f := &textfile{texts: make(chan []byte, 1)} // nobody writes
	f.down()
	if len(f.texts) > 0 {
		t.Error("there is a text of nothing")
	}
	up := string(metrics.New().AppendText(nil, &metrics.Capture{Up: true}))
	f.put([]byte(up))
	f.down()
	if text := string(<-f.texts); text != string(metrics.New().AppendText(nil, &metrics.Capture{})) || text == up {
		t.Errorf("it is %s", text)
	}
	f.put([]byte(up))
	f.end([]byte("last\n"))
	f.down() // too late
	if text := string(<-f.texts); text != up {
		t.Errorf("it is %s", text)
	}
}
