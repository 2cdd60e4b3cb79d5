package cli_test

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// withoutLibpcap builds the program as one has it who has no libpcap.
func withoutLibpcap(t *testing.T) (binary string) {
	t.Helper()
	binary = filepath.Join(t.TempDir(), "imds-analyzer")
	build := exec.CommandContext(t.Context(), tool(t, "go"), "build", "-o", binary, "..")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return binary
}

// runBinary runs a program as a process of its own.
func runBinary(t *testing.T, binary string, args ...string) result {
	t.Helper()
	var out, said bytes.Buffer
	c := exec.CommandContext(t.Context(), binary, args...)
	c.Stdout, c.Stderr = &out, &said
	var exit *exec.ExitError
	if err := c.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return result{c.ProcessState.ExitCode(), out.String(), said.String()}
}

// A build without libpcap reads capture files as every other, and says clearly
// that it does nothing else.
func TestWithoutLibpcap(t *testing.T) {
	t.Parallel()
	binary := withoutLibpcap(t)
	for _, name := range append(names(t), snapped) {
		args := []string{"-r", captureOf(t, name), "--format", "json"}
		got, want := runBinary(t, binary, args...), run(args...)
		if got.status != want.status || got.err != want.err {
			t.Errorf("%s: exit status %d, %s, want %d, %s", name, got.status, got.err, want.status, want.err)
		}
		if got, want := withoutNow(got.out), withoutNow(want.out); got != want {
			t.Errorf("%s: the log is\n%s\nwant\n%s", name, got, want)
		}
	}
	for _, args := range [][]string{{}, {"-i", "lo"}, {"--duration", "1s"}, {"-w", filepath.Join(t.TempDir(), "x")}, {"selftest"}} {
		r := runBinary(t, binary, args...)
		if r.status != 1 || r.out != "" || !strings.Contains(r.err, "no libpcap in it and cannot capture: read a capture file with -r FILE") {
			t.Errorf("%q: exit status %d, %s", args, r.status, r.err)
		}
		oneLine(t, r.err)
	}
	for _, tt := range [][2]string{{"version", "\nno libpcap: reads capture files only\n"}, {"--help", "\nThis build has no libpcap in it"}, {"help", "\nThis build has no libpcap in it"}} {
		if r := runBinary(t, binary, tt[0]); r.status != 0 || !strings.Contains(r.out, tt[1]) {
			t.Errorf("%s: exit status %d, %s", tt[0], r.status, r.out)
		}
		if r := run(tt[0]); strings.Contains(r.out, "no libpcap") {
			t.Errorf("%s of a build with libpcap: %s", tt[0], r.out)
		}
	}
}

// withoutNow leaves out of a log when the lines on the capture were written.
func withoutNow(log string) string {
	var lines strings.Builder
	for line := range strings.Lines(log) {
		lines.WriteString(strings.Join(timeless([]string{line}), ""))
	}
	return lines.String()
}
