package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// errAccess: the stand-in service's log is not as it writes it.
var errAccess = errors.New("not a line of the access log")

// access is a call as the service knows it, by its target.
type access struct {
	version string
	pid     int
	at      time.Time // when the service has read it
}

// accessLine is a line of the service's log: the time in nanoseconds since 1970, the method
// and the target.
func accessLine(at time.Time, request string) string {
	return strconv.FormatInt(at.UnixNano(), 10) + " " + request + "\n"
}

// readAccess reads the service's log. A GET is one of version 1 unless the kind of clients
// uses tokens.
func readAccess(log io.Reader, withToken bool) (map[string]access, error) {
	all := make(map[string]access)
	lines := bufio.NewScanner(log)
	for lines.Scan() {
		when, request, _ := strings.Cut(lines.Text(), " ")
		method, target, _ := strings.Cut(request, " ")
		nanoseconds, err := strconv.ParseInt(when, 10, 64)
		pid, ok := callerOf(target)
		if !ok || err != nil {
			return nil, fmt.Errorf("%w: %q", errAccess, lines.Text())
		}
		a := access{"v1", pid, time.Unix(0, nanoseconds)}
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
