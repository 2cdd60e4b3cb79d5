package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// programAttacks are those by who has many programs.
func programAttacks() []attack {
	h := &hiding{}
	return []attack{{name: "log-flood-programs", about: "300 programs that call once, in a flood by the same user", do: h.flood, check: h.found,
		atLeast: map[string]uint64{answered: leastCovers*coverCalls + hiddenPrograms}}}
}

// hiding are programs that are to go under in a flood.
type hiding struct{ programs []*exec.Cmd }

const (
	hiddenPrograms = 300
	coverCalls     = 500 // at once, of the flood in which they are to go under
	coverPause     = 200 * time.Millisecond
	leastCovers    = 10 // however soon they have called
)

func (h *hiding) flood(ctx context.Context, s *stage) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cover := func() error {
		return asAttacker(context.Background(), roleFlood, "paths", strconv.Itoa(coverCalls)).Run()
	}
	const first = 3 // it is above its rate by then
	for range first {
		if err := cover(); err != nil {
			return err
		}
	}
	flooded := make(chan error, 1)
	go func() {
		var err error
		for n := first; err == nil && (n < leastCovers || ctx.Err() == nil); n++ {
			err = cover()
			_ = pause(ctx, coverPause) // shorter at the end
		}
		flooded <- err
	}()
	err := callersWith(hiddenPrograms, func(cmd *exec.Cmd, directory string, i int) error {
		h.programs = append(h.programs, cmd)
		cmd.Path = filepath.Join(directory, fmt.Sprint("program-", i))
		if i == 0 {
			text, err := os.ReadFile(self)
			return errors.Join(err, writeProgram(cmd.Path, text))
		}
		return os.Link(filepath.Join(directory, "program-0"), cmd.Path)
	})(ctx, s)
	cancel()
	return errors.Join(err, <-flooded)
}

// found: each has a line of its own, and no call is missing.
func (h *hiding) found(v *verdict, log []entry) []string {
	own := map[int]bool{}
	for _, e := range log {
		if e.IMDS.Folded.Calls <= 1 {
			own[e.Process.PID] = true
		}
	}
	faults := allCounted(v, log)
	if len(h.programs) != hiddenPrograms {
		faults = append(faults, fmt.Sprintf("%d programs have called", len(h.programs)))
	}
	hidden := slices.DeleteFunc(slices.Clone(h.programs), func(cmd *exec.Cmd) bool { return own[cmd.Process.Pid] })
	if len(hidden) > 0 {
		faults = append(faults, fmt.Sprintf("%d programs have no line of their own, as %s", len(hidden), hidden[0].Path))
	}
	return faults
}
