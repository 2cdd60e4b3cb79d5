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

// measure measures one way in each topology.
func (b *bench) measure(way string) (all []run, err error) {
	for _, name := range b.topologies {
		runs, err := b.measureIn(way, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, runs...)
	}
	return all, nil
}

// measureIn measures one way in one topology under each load.
func (b *bench) measureIn(way, name string) (runs []run, err error) {
	s, err := b.newSite(newTopology(name))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	for _, processes := range b.processes {
		r, err := s.underLoad(way, name, processes)
		if err != nil {
			return nil, err
		}
		runs = append(runs, *r)
	}
	return runs, nil
}

func (s *site) underLoad(way, name string, processes int) (r *run, err error) {
	end, err := s.host.sleepers(processes, files)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, end()) }()
	program, err := s.startProgram(way)
	if err != nil {
		return nil, err
	}
	made, err := s.makeCalls(s.cells(name, processes))
	if err == nil {
		_ = program.awaitLines(1+made.total(), quietWithin)
	}
	if err := errors.Join(err, program.stop()); err != nil {
		return nil, err
	}
	return judge(way, made, program.readLog)
}

// makeCalls makes the calls of each cell in turn.
func (s *site) makeCalls(cells []cell) (m made, err error) {
	for i, c := range cells {
		if err := s.makeCallsOf(&m, i, c); err != nil {
			return m, fmt.Errorf("%s, %d at once: %w", c.Kind, c.AtOnce, err)
		}
	}
	return m, nil
}

func (s *site) makeCallsOf(m *made, i int, c cell) error {
	k := kindNamed(c.Kind)
	count, each := k.split(s.callsIn(c.Topology), c.AtOnce)
	like := client{id: clientID{cell: i}, args: k.command(s.path, base(i), s.places[0].proc, each)}
	executable, err := executableOf(like.args[0])
	if err != nil {
		return err
	}
	like.executable = executable
	var clients []client
	began := time.Now()
	err = s.launch(launch{
		atOnce: c.AtOnce, count: count, users: users, command: like.args,
		within: clientsWithin + time.Duration(count*each)*aCallWithin,
	}, func(said []byte, in *launcher) error {
		like.container = in.container.id
		some, err := readLaunched(bytes.NewReader(said), like)
		clients = append(clients, some...)
		return err
	})
	life := time.Since(began) * time.Duration(min(c.AtOnce, count)) / time.Duration(count)
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
