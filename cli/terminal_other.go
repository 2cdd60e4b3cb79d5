//go:build !windows

package cli

import "os"

// takesSequences reports whether a terminal acts on escape sequences. A dumb one
// can do no more than print (terminfo(5)).
func takesSequences(*os.File) bool { return os.Getenv("TERM") != "dumb" }
