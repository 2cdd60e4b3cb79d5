package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"

	"imds-analyzer/capture"
	"imds-analyzer/output"
)

// say writes one line for people, whatever the words contain.
func say(w io.Writer, format string, args ...any) {
	fmt.Fprintf(w, "imds-analyzer: %s\n", output.Sanitize(fmt.Sprintf(format, args...)))
}

// isTerminal reports whether a stream is a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// advise adds to an error what its user can do.
func advise(err error) error {
	switch {
	case errors.Is(err, capture.ErrPermission):
		return fmt.Errorf("%w: run it as root (sudo imds-analyzer), or read a capture file with -r FILE", err)
	case errors.Is(err, capture.ErrNoInterface):
		return fmt.Errorf("%w: `ip link` lists the interfaces, and -i any captures on all", err)
	case errors.Is(err, capture.ErrNoLive):
		return fmt.Errorf("%w: read a capture file with -r FILE", err)
	case errors.Is(err, capture.ErrNotCapture):
		return fmt.Errorf("%w: what tcpdump -w writes (pcap) or Wireshark (pcapng) can be read, also gzip'd", err)
	}
	return err
}
