package main

import (
	"bytes"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	// users take turns as clients: root, two that every system has, and one
	// that has no name.
	users = "0,1,65534,54321"
	// files that each of the additional processes holds open.
	files = 10
	// clientsWithin and aCallWithin are for the clients of a cell. A call of
	// curl takes some 20 ms.
	clientsWithin = 20 * time.Second
	aCallWithin   = 100 * time.Millisecond
)

// attribution measures each way, and prints each when it is done.
func (b *bench) attribution() error {
	var all []run
	wrong := 0
	for _, way := range b.ways {
		runs, err := b.measure(way)
		if err != nil {
			return err
		}
		printWay(b.out, way, runs)
		for i := range runs {
			runs[i].printProblems(b.out, b.showWrong)
			wrong += runs[i].wrong()
		}
		all = append(all, runs...)
	}
	if err := b.save(all); err != nil {
		return err
	}
	if wrong > 0 {
		return fmt.Errorf("%w: %d", errWrong, wrong)
	}
	return nil
}

// measure measures one way under each load.
func (b *bench) measure(way string) (runs []run, err error) {
	for _, processes := range b.processes {
		r, err := b.underLoad(way, processes)
		if err != nil {
			return nil, err
		}
		runs = append(runs, *r)
	}
	return runs, nil
}

func (b *bench) underLoad(way string, processes int) (r *run, err error) {
	end, err := b.sleepers(processes, files)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	program, err := b.startProgram(way)
	if err != nil {
		return nil, err
	}
	made, err := b.makeCalls(b.cells(processes))
	if err == nil {
		_ = program.awaitLines(1+made.total(), quietWithin)
	}
	if err := errors.Join(err, program.stop()); err != nil {
		return nil, err
	}
	return judge(way, made, program.readLog)
}

// makeCalls makes the calls of each cell in turn.
func (b *bench) makeCalls(cells []cell) (m made, err error) {
	for i, c := range cells {
		if err := b.makeCallsOf(&m, i, c); err != nil {
			return m, fmt.Errorf("%s, %d at once: %w", c.Kind, c.AtOnce, err)
		}
	}
	return m, nil
}

func (b *bench) makeCallsOf(m *made, i int, c cell) error {
	count, each := kindNamed(c.Kind).split(b.calls, c.AtOnce)
	command := kindNamed(c.Kind).command(b.launcher.path, base(i), each)
	executable, err := executableOf(command[0])
	if err != nil {
		return err
	}
	began := time.Now()
	said, err := b.launcher.run(launch{
		atOnce: c.AtOnce, count: count, users: users, command: command,
		within: clientsWithin + time.Duration(count*each)*aCallWithin,
	})
	if err != nil {
		return err
	}
	life := time.Since(began) * time.Duration(min(c.AtOnce, count)) / time.Duration(count)
	clients, err := readLaunched(bytes.NewReader(said), client{id: clientID{cell: i}, args: command, executable: executable})
	m.add(c, clients, each, life)
	return err
}

// executableOf is the file that a command runs.
func executableOf(command string) (string, error) {
	path, err := exec.LookPath(command)
	if err != nil {
		return "", fmt.Errorf("%w: install it, or leave it out with -kinds", err)
	}
	return filepath.EvalSymlinks(path)
}
