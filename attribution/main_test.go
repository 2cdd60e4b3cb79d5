package attribution

import (
	"fmt"
	"os"
	"testing"
)

// childMode is the variable that makes the test binary a client to be found.
const childMode = "ATTRIBUTION_TEST_CHILD"

func TestMain(m *testing.M) {
	mode := os.Getenv(childMode)
	if mode == "" {
		os.Exit(m.Run())
	}
	if err := runChild(mode, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
