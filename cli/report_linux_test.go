package cli_test

import (
	"io"
	"os"
	"strings"
	"testing"
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
