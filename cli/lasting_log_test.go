package cli

import (
	"errors"
	"fmt"
	"testing"
	"time"
)

// Who has the reason change all the time does not have people told all the time.
func TestUnrotatedIsToldSeldom(t *testing.T) {
	var said []string
	l := &lastingLog{say: func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }}
	one, another := errors.New("one"), errors.New("another")
	tell := func(want int, errs ...error) {
		t.Helper()
		for _, err := range errs {
			l.tellUnrotated(err)
		}
		if len(said) != want {
			t.Errorf("%d are said, want %d: %q", len(said), want, said)
		}
	}
	tell(1, one, one, another, nil, another, one)
	l.told = time.Now().Add(-tellEvery)
	tell(2, another, another, one)
	l.told = time.Now().Add(-tellEvery)
	tell(2, another, nil) // which was told, and is over
	tell(3, one)
}
