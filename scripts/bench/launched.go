package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// client is what the launcher knows of a process that it started.
type client struct {
	id clientID
	pids
	uid        int
	args       []string
	executable string
	container  string // the id of that which it runs in; empty: on the host
}

// made is what was done in a run: the truth that the log is held against.
type made struct {
	cells   []cell
	each    []int           // calls that a client makes, by the number of the cell
	lives   []time.Duration // of a client, from its start until it is reaped, on average
	clients []client
}

func (m *made) add(c cell, clients []client, each int, life time.Duration) {
	m.cells = append(m.cells, c)
	m.each = append(m.each, each)
	m.lives = append(m.lives, life)
	m.clients = append(m.clients, clients...)
}

// total is how many calls were made.
func (m *made) total() int {
	sum := 0
	for _, c := range m.clients {
		sum += m.each[c.id.cell]
	}
	return sum
}

// errClient: a client did not do what it was to do, so that there is no truth.
var errClient = errors.New("a client failed")

// readLaunched reads what the launcher says of each client, "NUMBER PID VPID
// UID",
// into copies of the client that they are all like.
func readLaunched(out io.Reader, like client) (clients []client, err error) {
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		c := like
		if _, err := fmt.Sscanf(lines.Text(), "%d %d %d %d", &c.id.number, &c.host, &c.inside, &c.uid); err != nil {
			return clients, fmt.Errorf("%w: %s", errClient, lines.Text())
		}
		c.args = withNumber(like.args, c.id.number)
		clients = append(clients, c)
	}
	return clients, lines.Err()
}

// withNumber is the command of a client: its number is in the place of the @.
func withNumber(command []string, number int) []string {
	args := make([]string, len(command))
	for i, arg := range command {
		args[i] = strings.Replace(arg, "@", fmt.Sprint(number), 1)
	}
	return args
}
