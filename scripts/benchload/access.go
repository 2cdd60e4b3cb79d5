package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errAccess: the stand-in service's log is not as it writes it.
var errAccess = errors.New("not a line of the access log")

// access is a call as the service knows it, by its target.
type access struct {
	version string
	pid     int
}

// readAccess reads the service's log: a method and a target a line. A GET is one of
// version 1 unless the kind of clients uses tokens.
func readAccess(log io.Reader, withToken bool) (map[string]access, error) {
	all := make(map[string]access)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		method, target, _ := strings.Cut(lines.Text(), " ")
		pid, ok := callerOf(target)
		if !ok {
			return nil, fmt.Errorf("%w: %q", errAccess, lines.Text())
		}
		a := access{"v1", pid}
		if withToken || method == "PUT" {
			a.version = "v2"
		}
		if _, twice := all[target]; twice {
			return nil, fmt.Errorf("%w: twice: %q", errAccess, target)
		}
		all[target] = a
	}
	return all, lines.Err()
}
