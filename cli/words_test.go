package cli

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// Nobody is waited for who does not read what is said last.
func TestSayWithin(t *testing.T) {
	for _, test := range []struct {
		name string
		late time.Duration // when it is read
		took time.Duration
		want string
	}{
		{"read at once", 0, 0, "imds-analyzer: 7 s are over\n"},
		{"read in time", lastWords / 2, lastWords / 2, "imds-analyzer: 7 s are over\n"},
		{"not read", time.Hour, lastWords, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				in, out := io.Pipe()
				defer in.Close() // whoever still writes then ends
				var read strings.Builder
				time.AfterFunc(test.late, func() { _, _ = io.Copy(&read, in) })
				begun := time.Now()
				sayWithin(lastWords, out, "%d s are over", 7)
				out.Close()
				synctest.Wait()
				if took := time.Since(begun); took != test.took || read.String() != test.want {
					t.Errorf("it took %v, and %q was read", took, read.String())
				}
			})
		})
	}
}
