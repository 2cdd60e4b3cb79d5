//go:build linux

package cli_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// configOf makes a configuration, which only its owner can write to.
func configOf(t *testing.T, text string) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// With a configuration the program does what it does with its flags.
func TestConfigRuns(t *testing.T) {
	capture, log := captureOf(t, "proxy-haproxy-any"), filepath.Join(t.TempDir(), "log")
	file := configOf(t, "only: v1\nformat: json\noutput: "+log+"\n")
	for name, tt := range map[string]struct{ with, same []string }{
		"all of it":                     {nil, []string{"--only", "v1", "--format", "json"}},
		"but what the command line has": {[]string{"--only=", "--format", "text"}, []string{"--format", "text"}},
	} {
		t.Run(name, func(t *testing.T) {
			got := succeeded(t, append([]string{"--config", file, "-r", capture}, tt.with...)...)
			want := succeeded(t, append([]string{"-r", capture}, tt.same...)...)
			if calls(got.out) != calls(want.out) || got.err != want.err {
				t.Errorf("with it:\n%s%s\nwant:\n%s%s", got.out, got.err, want.out, want.err)
			}
		})
	}
	if n := strings.Count(readFile(t, log), `"imds.call"`); n != 1+9 {
		t.Errorf("the log has %d calls", n)
	}
}

// calls are the lines of calls: those about the capture have the time of the run.
func calls(log string) string {
	lines := strings.Split(log, "\n")
	return strings.Join(slices.DeleteFunc(lines, func(l string) bool { return strings.Contains(l, `"imds.capture"`) }), "\n")
}

func TestCheckConfig(t *testing.T) {
	writable := configOf(t, "only: v1\n")
	if err := os.Chmod(writable, 0o666); err != nil {
		t.Fatal(err)
	}
	refused := 0
	if os.Getuid() == 0 {
		refused = 1
	}
	missing, pipe := filepath.Join(t.TempDir(), "missing"), filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	shipped := configOf(t, readFile(t, "../service/config.yaml")) // a checkout is not always root's
	for _, tt := range []struct {
		name   string
		args   []string
		status int
		says   []string
	}{
		{"shipped", []string{shipped}, 0, []string{shipped + ": nothing is wrong; keys that are set: 4"}},
		{"empty", []string{configOf(t, "")}, 0, []string{"nothing is wrong; keys that are set: 0"}},
		{"two faults", []string{configOf(t, "onyl: v1\nrealtime: yes\n")}, 2, []string{"config.yaml:1: onyl", "config.yaml:2: realtime"}},
		{"values that the flags refuse", []string{configOf(t, "\n\nendpoint: localhost\n")}, 2, []string{`config.yaml:3: --endpoint: `}},
		{"command that is not there", []string{configOf(t, "\nenrich: "+missing+"\n")}, 2, []string{`config.yaml:2: --enrich cannot run`}},
		{"escapes", []string{configOf(t, "only: \"\\e[31m\\u202e\"\n")}, 2, []string{`config.yaml:1: --only`}},
		{"missing", []string{missing}, 1, []string{"cannot read the configuration: open " + missing}},
		{"others can write to it", []string{writable}, refused, []string{writable}},
		{"pipe", []string{pipe}, 1, []string{"cannot read the configuration: " + pipe + " is no regular file"}},
		{"device", []string{os.DevNull}, 1, []string{"is no regular file"}},
		{"two files", []string{missing, missing}, 2, []string{"takes one FILE"}},
		{"no name", []string{""}, 2, []string{"--config needs the name of a file"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := run(append([]string{"check-config"}, tt.args...)...)
			if r.status != tt.status || tt.status != 0 && r.out != "" {
				t.Errorf("exit status %d, standard output %q", r.status, r.out)
			}
			said := r.err
			if tt.status == 0 {
				said = r.out
			}
			harmless(t, "what it says", said)
			lines := strings.Split(strings.TrimSuffix(said, "\n"), "\n")
			if !slices.EqualFunc(lines, tt.says, strings.Contains) {
				t.Errorf("it says %q, want %q", lines, tt.says)
			}
		})
	}
}

// A start with a configuration that is wrong fails as its check does, and captures nothing.
func TestConfigFailsAtStart(t *testing.T) {
	file := configOf(t, "onyl: v1\nonly: v1\nonly: v1\n")
	want := run("check-config", file)
	got := run("--config", file, "-r", captureOf(t, "boto"))
	if got != want || got.status != 2 || strings.Count(got.err, "\n") != 2 {
		t.Errorf("exit status %d: %s%s\nwant %s", got.status, got.out, got.err, want.err)
	}
	for _, args := range [][]string{{"--config", ""}, {"--config"}} {
		r := run(args...)
		oneLine(t, r.err)
		if r.status != 2 {
			t.Errorf("%q: exit status %d", args, r.status)
		}
	}
}

// The configuration is not overwritten by what it names, and 0 for rotation lets the number
// of files stand.
func TestConfigNamesFiles(t *testing.T) {
	for _, key := range []string{"output", "write", "state"} {
		file := configOf(t, "")
		if err := os.WriteFile(file, []byte("only: v1\n"+key+": "+file+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		r := run("check-config", file)
		if r.status != 2 || !strings.Contains(r.err, "config.yaml:2: "+file+" is to be two things at once") {
			t.Errorf("%s: exit status %d: %s", key, r.status, r.err)
		}
	}
	succeeded(t, "check-config", configOf(t, "output: x\nrotate-size: 0\nrotate-keep: 3\n"))
}

// What is for live captures is refused with -r, also from a configuration.
func TestConfigForFiles(t *testing.T) {
	r := run("--config", configOf(t, "\nstate: x\n"), "-r", captureOf(t, "boto"))
	oneLine(t, r.err)
	if r.status != 2 || !strings.Contains(r.err, "config.yaml:2: ") {
		t.Errorf("exit status %d: %s", r.status, r.err)
	}
}
