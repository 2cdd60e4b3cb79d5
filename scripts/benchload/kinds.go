package main

import (
	"strconv"
	"strings"
	"time"
)

// kind is a kind of client.
type kind struct {
	name, about string
	// command is what client.c calls it, for processes that end after a call or two;
	// empty for long-lived ones.
	command string
	// calls and connections are those of a turn, after which a one-shot process ends.
	// Keep-alive clients have none: they keep the connection.
	calls, connections int
}

func kinds() []kind {
	return []kind{
		{"get", "a process for each call: connects, asks (v1), ends", "get", 1, 1},
		{"token", "a process for two calls: a token on one connection, its use on the next", "token2", 2, 2},
		{"agent", "4 processes that live on, a connection for each call (v1)", "", 1, 1},
		{"agent-token", "the same, with a token and its use on each connection", "", 2, 1},
		{"keep-alive", "4 processes with 4 connections each, which they keep (v1)", "", 1, 0},
	}
}

func allKinds() string {
	var names []string
	for _, k := range kinds() {
		names = append(names, k.name)
	}
	return strings.Join(names, ",")
}

func kindNamed(name string) (kind, bool) {
	for _, k := range kinds() {
		if k.name == name {
			return k, true
		}
	}
	return kind{}, false
}

// Long-lived clients: so many processes, with so many threads each. More calls at
// once than processors do not make them faster.
const (
	processes = 4
	threads   = 4
)

// turns is how many turns make so many calls, or a few more.
func (k kind) turns(calls int) int { return (calls + k.calls - 1) / k.calls }

// interval is the time from the beginning of one turn to that of the next, where
// share of the clients make so many calls a second together.
func (k kind) interval(rate, share int) time.Duration {
	return time.Second * time.Duration(k.calls*share) / time.Duration(rate)
}

// Every request says who makes it, as in client.c: BASE/PID/VPID/N, with the
// base metadataPath/CELL/NUMBER. A token request has that behind tokenTarget.
const (
	metadataPath = "/latest/meta-data/"
	tokenTarget  = "/latest/api/token?for="
)

// callerOf is the pid in the target of a request.
func callerOf(target string) (pid int, ok bool) {
	path, ok := strings.CutPrefix(strings.TrimPrefix(target, tokenTarget), metadataPath)
	parts := strings.Split(path, "/")
	if !ok || len(parts) != 5 {
		return 0, false
	}
	pid, err := strconv.Atoi(parts[2])
	return pid, err == nil && pid > 0
}
