package testbed

import (
	"bufio"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

func read(log string) (all []string, err error) {
	err = ReadLog(strings.NewReader(log), func(e struct{ N int }, line string) {
		all = append(all, fmt.Sprint(e.N, " in ", line))
	})
	return all, err
}

func TestReadLog(t *testing.T) {
	all, err := read("{\"n\":1}\n{\"n\":2,\"more\":\"of it\"}\n{}")
	if want := []string{`1 in {"n":1}`, `2 in {"n":2,"more":"of it"}`, `0 in {}`}; err != nil || !slices.Equal(all, want) {
		t.Errorf("%q, %v, want %q", all, err, want)
	}
}

func TestReadLogFails(t *testing.T) {
	all, err := read("{\"n\":1}\n{\"n\":")
	if err == nil || !strings.HasPrefix(err.Error(), "line 2 of the log") || len(all) != 1 {
		t.Errorf("half a line: %q, %v", all, err)
	}
	if _, err := read(strings.Repeat(" ", MaxLine+1)); !errors.Is(err, bufio.ErrTooLong) {
		t.Errorf("a line without end: %v", err)
	}
}
