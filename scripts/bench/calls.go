package main

import (
	"strconv"
	"strings"
)

// kind is a kind of client.
type kind struct {
	name  string
	calls int // that one client makes; 0: as many as there are to make
}

// The kinds of clients, which client.c has, but for the last.
var kinds = []kind{
	{"get", 1},    // reads the answer and ends
	{"unread", 1}, // ends at once, without reading it
	{"token", 2},  // asks for a token and uses it on the same connection
	{"token2", 2}, // uses it on a second connection
	{"fork", 4},   // has children call, which it forks without an exec
	{"agent", 0},  // lives on from call to call
	{"curl", 1},   // the real one
}

// kindNamed is nil if there is none of that name.
func kindNamed(name string) *kind {
	for i := range kinds {
		if kinds[i].name == name {
			return &kinds[i]
		}
	}
	return nil
}

// split says how many clients of the kind it takes, and how many calls each
// makes, for so many calls or a few more.
func (k kind) split(calls, atOnce int) (clients, each int) {
	if k.calls == 0 {
		return atOnce, ceil(calls, atOnce)
	}
	return ceil(calls, k.calls), k.calls
}

func ceil(a, b int) int { return (a + b - 1) / b }

// command is how a client of the kind is started, to which the host's /proc is
// the directory proc. The launcher puts the client's number in the place of the @.
func (k kind) command(program, base, proc string, calls int) []string {
	if k.name == "curl" {
		return []string{"curl", "-s", "--max-time", "30", "-o", "/dev/null", "http://169.254.169.254" + base}
	}
	command := []string{program, k.name, base, proc}
	if k.name == "fork" || k.name == "agent" {
		command = append(command, strconv.Itoa(calls))
	}
	return command
}

// pids are what a process is called: by the host, and in its container.
type pids struct{ host, inside int }

// clientID tells a client from all others of a run: the number of its cell,
// and its own within that.
type clientID struct{ cell, number int }

// callID tells a call from all others of a run: the nth of the client.
type callID struct {
	clientID
	n int
}

// The paths that clients ask for: metadataPath/CELL/NUMBER is a client's base,
// below which each call has the pids of the process that makes it, and its own
// number. curl, which cannot write its pids, asks for the base.
const (
	metadataPath = "/latest/meta-data/"
	tokenTarget  = "/latest/api/token?for="
)

func base(cell int) string { return metadataPath + strconv.Itoa(cell) + "/@" }

// parseTarget reads the target of a request. The pids are 0 if it has none.
func parseTarget(target string) (id callID, by pids, ok bool) {
	path, ok := strings.CutPrefix(strings.TrimPrefix(target, tokenTarget), metadataPath)
	if !ok {
		return callID{}, pids{}, false
	}
	var numbers [5]int
	parts := strings.Split(path, "/")
	if len(parts) != 2 && len(parts) != len(numbers) {
		return callID{}, pids{}, false
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(part, 10, 31)
		if err != nil {
			return callID{}, pids{}, false
		}
		numbers[i] = int(n)
	}
	return callID{clientID{numbers[0], numbers[1]}, numbers[4]}, pids{numbers[2], numbers[3]}, true
}
