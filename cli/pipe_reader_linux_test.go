package cli

import (
	"bufio"
	"cmp"
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Whoever has no reader yet is told what is waited for, and a signal ends that.
func TestOpenForReader(t *testing.T) {
	for name, comes := range map[string]bool{"a reader comes": true, "a signal comes": false} {
		t.Run(name, func(t *testing.T) {
			pipe := filepath.Join(t.TempDir(), "pipe")
			if err := unix.Mkfifo(pipe, 0o600); err != nil {
				t.Fatal(err)
			}
			ctx, signal := context.WithCancel(t.Context())
			defer signal()
			told, stderr := io.Pipe()
			failed := make(chan error, 1)
			go func() {
				file, err := openForReader(ctx, stderr, pipe, os.O_WRONLY|os.O_APPEND)
				if err == nil {
					_, err = io.WriteString(file, "read\n")
					err = cmp.Or(err, file.Close())
				}
				failed <- err
			}()
			said, err := bufio.NewReader(told).ReadString('\n')
			if want := "imds-analyzer: waiting for a reader of " + pipe + "\n"; err != nil || said != want {
				t.Errorf("it says %q, %v, want %q", said, err, want)
			}
			if !comes {
				signal()
				if err := <-failed; err == nil || !strings.Contains(err.Error(), pipe) {
					t.Errorf("it ends with %v", err)
				}
			}
			reader, err := os.Open(pipe) // also for the thread that still waits
			if err != nil {
				t.Fatal(err)
			}
			defer reader.Close()
			if !comes {
				return
			}
			if text, err := io.ReadAll(reader); err != nil || string(text) != "read\n" {
				t.Errorf("%q is read, %v", text, err)
			}
			if err := <-failed; err != nil {
				t.Error(err)
			}
		})
	}
}
