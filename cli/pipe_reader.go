package cli

import (
	"context"
	"fmt"
	"io"
	"os"
	"time"

	"imds-analyzer/output/logfile"
)

// readerWithin is how long a pipe's reader may take to come before people are told that it
// is waited for: one that is started together with this program is there by then.
const readerWithin = time.Second

// openForReader opens what may be a pipe, which takes until somebody reads it, or until ctx
// ends. Then a thread still waits, and has nothing to write.
func openForReader(ctx context.Context, stderr io.Writer, name string, flags int) (*os.File, error) {
	var file *os.File
	var err error
	opened := make(chan struct{})
	go func() {
		defer close(opened)
		file, err = logfile.Guarded(name, flags)
	}()
	late := time.NewTimer(readerWithin)
	defer late.Stop()
	for {
		select {
		case <-opened:
			return file, err
		case <-late.C:
			say(stderr, "waiting for a reader of %s", name)
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody has read %s before a signal ended the waiting", name)
		}
	}
}
