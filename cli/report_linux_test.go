package cli_test

import (
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
