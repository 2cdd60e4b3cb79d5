package cli

import (
	"os"
	"testing"
)

// The progress is for people at a terminal that can do more than print, and not
// where a pipe may lead to the same terminal.
func TestWhereProgressIsShown(t *testing.T) {
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer terminal.Close()
	reader, pipe, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	defer pipe.Close()
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	files := options{read: []string{"x"}}
	for _, tt := range []struct {
		name     string
		o        options
		out, err *os.File
		term     string
		want     bool
	}{
		{"both a terminal", files, terminal, terminal, "xterm", true},
		{"output elsewhere", files, null, terminal, "xterm", true},
		{"output to a pipe", files, pipe, terminal, "xterm", false},
		{"errors elsewhere", files, terminal, null, "xterm", false},
		{"errors to a pipe", files, terminal, pipe, "xterm", false},
		{"dumb", files, terminal, terminal, "dumb", false},
		{"live", options{}, terminal, terminal, "xterm", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("TERM", tt.term)
			if line := newStatusLine(tt.o, Streams{Out: tt.out, Err: tt.err}); (line != nil) != tt.want {
				t.Errorf("shown: %v", line != nil)
			}
		})
	}
}
