package cli_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// A signal ends the reading of what has no end, and the report is of what there was.
func TestSignalEndsReport(t *testing.T) {
	c, in, out, said := fed(t, "report", "--format", "json", "-")
	for range 64 { // more than the pipe holds: when it is written, most was read
		if _, err := io.WriteString(in, logOf(t, "boto")); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	made, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	got := reportOf(t, string(made))
	if c.ProcessState.ExitCode() != 3 || got.Calls.V1 == 0 || got.Inputs.Malformed == 0 || !strings.Contains(said.String(), "reading ended before it did") {
		t.Errorf("%v: %s%+v", c.ProcessState, said, got)
	}
}

// A list of instances that is written by nobody is waited for until a signal.
func TestSignalEndsInventory(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "instances")
	if err := unix.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	c, _, out, said := fed(t, "report", "--inventory", pipe, "-")
	writer, err := os.OpenFile(pipe, os.O_WRONLY, 0) // returns when the program reads
	if err != nil {
		t.Fatal(err)
	}
	defer writer.Close()
	if err := c.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	made, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.Wait()
	if c.ProcessState.ExitCode() != 1 || len(made) > 0 || !strings.Contains(said.String(), "cannot read the inventory "+pipe+": reading ended before it did") {
		t.Errorf("%v: %s%s", c.ProcessState, said, made)
	}
}

// A report goes to no pipe and no device that another has put where all can write, and
// is not kept waiting by one. A link is replaced. A pipe of root's own is written to.
func TestReportIntoPlantedFile(t *testing.T) {
	if os.Geteuid() != 0 {
		return // no file can be given away
	}
	log := write(t, t.TempDir(), "log", logOf(t, "boto"))
	secret := write(t, t.TempDir(), "secret", "secret\n")
	theirs := func(name string) error { return errors.Join(unix.Mkfifo(name, 0o666), os.Chown(name, 1000, 1000)) }
	for what, test := range map[string]struct {
		plant func(name string) error
		says  string
	}{
		"pipe":           {theirs, "it is another user's pipe, in a directory in which other users can write"},
		"link to a pipe": {func(name string) error { return errors.Join(theirs(name+"2"), os.Symlink(name+"2", name)) }, "it is a link"},
		"device":         {func(name string) error { return unix.Mknod(name, unix.S_IFCHR|0o666, 1<<8|3) }, "it is a device, in a directory"},
		"directory":      {func(name string) error { return os.Mkdir(name, 0o755) }, "is a directory"},
		"link to a file": {func(name string) error { return os.Symlink(secret, name) }, ""},
	} {
		dir := t.TempDir()
		name := filepath.Join(dir, "report")
		if err := errors.Join(test.plant(name), os.Chmod(dir, 0o777|os.ModeSticky)); err != nil {
			t.Fatal(err)
		}
		r := run("report", "-o", name, log)
		if test.says == "" && r.status != 0 || test.says != "" && (r.status != 1 || !strings.Contains(r.err, test.says)) {
			t.Errorf("%s: exit status %d: %s", what, r.status, r.err)
		}
	}
	if got := readFile(t, secret); got != "secret\n" {
		t.Errorf("it holds %q", got)
	}
}

// What root's own pipe in such a directory is given is what a file is, by each way to
// write one.
func TestOwnPipeWhereOthersWrite(t *testing.T) {
	dir := t.TempDir()
	pipe, capture := filepath.Join(dir, "pipe"), captureOf(t, "boto")
	if err := errors.Join(unix.Mkfifo(pipe, 0o600), os.Chmod(dir, 0o777|os.ModeSticky)); err != nil {
		t.Fatal(err)
	}
	log := write(t, dir, "log", logOf(t, "boto"))
	for _, args := range [][]string{
		{"report", log, "-o", pipe}, {"-r", capture, "-w", pipe}, {"-r", capture, "-o", pipe},
	} {
		read := make(chan int)
		go func() {
			data, _ := os.ReadFile(pipe)
			read <- len(data)
		}()
		r := run(args...)
		if r.status != 0 {
			t.Fatalf("%q: exit status %d: %s", args, r.status, r.err)
		}
		if n := <-read; n == 0 {
			t.Errorf("%q: nothing was written", args)
		}
	}
}

// A name that leads to what is open stays what it is, though that is a file: as with
// /dev/stdout, what is there stays before the report, and what others write after it.
func TestReportIntoDescriptor(t *testing.T) {
	dir := t.TempDir()
	log := write(t, dir, "log", logOf(t, "boto"))
	file, err := os.OpenFile(filepath.Join(dir, "file"), os.O_RDWR|os.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	name := filepath.Join(dir, "stdout")
	to := fmt.Sprintf("/proc/self/fd/%d", file.Fd())
	_, err = file.WriteString("before\n")
	if err := errors.Join(err, os.Symlink(to, name)); err != nil {
		t.Fatal(err)
	}
	want := succeeded(t, "report", log).out
	succeeded(t, "report", "-o", name, log)
	if _, err := file.WriteString("after\n"); err != nil {
		t.Fatal(err)
	}
	if got := readFile(t, filepath.Join(dir, "file")); got != "before\n"+want+"after\n" {
		t.Errorf("it has %q", got)
	}
	if is, err := os.Readlink(name); is != to {
		t.Errorf("it leads to %q, %v", is, err)
	}
}
