package cli

import (
	"io"
	"os"

	"golang.org/x/sys/windows"
)

// takesSequences reports whether a console acts on escape sequences, after it was
// asked to: those before Windows 10 cannot, and others do so by default or not
// (SetConsoleMode, "Console Virtual Terminal Sequences").
func takesSequences(console *os.File) bool {
	handle := windows.Handle(console.Fd())
	var mode uint32
	if os.Getenv("TERM") == "dumb" || windows.GetConsoleMode(handle, &mode) != nil {
		return false
	}
	mode |= windows.ENABLE_PROCESSED_OUTPUT | windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING
	return windows.SetConsoleMode(handle, mode) == nil
}

// inForeground reports whether the program may write to the terminal as it likes.
// Windows knows no other programs.
func inForeground(io.Writer) bool { return true }
