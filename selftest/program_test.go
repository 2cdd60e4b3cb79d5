//go:build linux

package selftest

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"testing"
)

// asProgram names what this test binary does in the place of the program.
const asProgram = "SELFTEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	play, ok := parts[os.Getenv(asProgram)]
	if !ok {
		os.Exit(m.Run())
	}
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	play()
	<-interrupted
	os.Exit(endings[os.Getenv(asProgram)])
}

const (
	started = `{"event":{"dataset":"imds.capture","action":"capture-started"},"imds":{"capture":{"attribution_methods":["sock_diag","proc"]}}}`
	called  = `{"event":{"dataset":"imds.call"},"url":{"original":"/latest"}}`
)

// parts are what it plays until it is told to end, and endings the exit
// statuses other than 0.
var (
	parts = map[string]func(){
		"a program": func() { fmt.Printf("%s\n%s\nno JSON\n%s\n", started, called, called) },
		"a program that fails": func() {
			fmt.Fprintln(os.Stderr, "imds-analyzer: it is broken\nand more")
			os.Exit(1)
		},
		"a program that ends": func() { os.Exit(0) },
		"a program that fails at its end": func() {
			fmt.Println(started)
			fmt.Fprintln(os.Stderr, "imds-analyzer: packets were lost")
		},
	}
	endings = map[string]int{"a program that fails at its end": 3}
)

func TestProgramRuns(t *testing.T) {
	t.Setenv(asProgram, "a program")
	p, err := startProgram(context.Background(), "")
	if err != nil {
		t.Fatal(err)
	}
	p.await(2)
	if err := p.stop(); err != nil {
		t.Error(err)
	}
	if len(p.entries) != 2 || strings.Join(p.ways, " ") != "sock_diag proc" {
		t.Errorf("%d calls, ways %v", len(p.entries), p.ways)
	}
}

// Words for people, and not more than one line of them.
func TestProgramFails(t *testing.T) {
	for part, want := range map[string]string{
		"a program that fails":            "it is broken",
		"a program that ends":             "ended before it captured",
		"a program that fails at its end": "packets were lost",
	} {
		t.Run(part, func(t *testing.T) {
			t.Setenv(asProgram, part)
			p, err := startProgram(context.Background(), "proc")
			if err == nil {
				err = p.stop()
			}
			if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("%v", err)
			}
		})
	}
}

func TestArguments(t *testing.T) {
	if got := strings.Join(arguments(""), " "); strings.Contains(got, "--attribution") {
		t.Errorf("in normal use: %s", got)
	}
	if got := strings.Join(arguments("proc"), " "); !strings.HasSuffix(got, "--attribution proc") {
		t.Errorf("in one way: %s", got)
	}
}
