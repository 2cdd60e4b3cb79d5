package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"runtime"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/term"

	"imds-analyzer/capture"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// say writes one line for people, whatever the words contain: an error can quote what the
// program was given.
func say(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, "imds-analyzer: %s\n", output.Sanitize(imds.Redact(fmt.Sprintf(format, args...))))
}

// sayWithin is say that waits no longer than that for a writer.
func sayWithin(within time.Duration, w io.Writer, format string, args ...any) {
	said := make(chan struct{})
	go func() {
		defer close(said)
		say(w, format, args...)
	}()
	select {
	case <-said:
	case <-time.After(within):
	}
}

// lockedWriter makes a writer safe for concurrent use.
type lockedWriter struct {
	mu  sync.Mutex
	out io.Writer
}

func (w *lockedWriter) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.out.Write(p)
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// isScreen reports whether a stream is a terminal that does more than print.
func isScreen(w io.Writer) bool { return isTerminal(w) && takesSequences(w.(*os.File)) }

// terminalSize returns what tells the size of a terminal whose lines can be
// written anew, and nil for other streams.
func terminalSize(w io.Writer) func() output.Size {
	if !isScreen(w) {
		return nil
	}
	terminal := w.(*os.File)
	return func() output.Size {
		columns, rows, err := term.GetSize(int(terminal.Fd()))
		if err != nil {
			return output.Size{} // not known
		}
		return output.Size{Columns: columns, Rows: rows}
	}
}

// advise adds to an error what its user can do.
func advise(err error) error {
	switch {
	case errors.Is(err, capture.ErrPermission):
		return fmt.Errorf("%w: run it as root (sudo imds-analyzer) or with CAP_NET_RAW, or read a capture file with -r FILE", err)
	case errors.Is(err, capture.ErrNoInterface):
		return fmt.Errorf("%w: `ip link` lists the interfaces, and -i any captures on all", err)
	case errors.Is(err, capture.ErrNoLive) && runtime.GOOS == "linux":
		return fmt.Errorf("%w: read a capture file with -r FILE (tcpdump -w FILE writes one), or build it with CGO_ENABLED=1 and libpcap", err)
	case errors.Is(err, capture.ErrNoLive):
		return fmt.Errorf("%w: read a capture file with -r FILE; live captures are for Linux", err)
	case errors.Is(err, capture.ErrNotUp):
		return fmt.Errorf("%w: bring it up first (ip link set NAME up)", err)
	}
	return err
}

// plain leaves out of an error of the operating system which call returned it.
func plain(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return fmt.Errorf("%s: %w", path.Path, path.Err)
	}
	return err
}

// capitalized makes words the beginning of a sentence.
func capitalized(words string) string {
	first, size := utf8.DecodeRuneInString(words)
	return string(unicode.ToUpper(first)) + words[size:]
}
