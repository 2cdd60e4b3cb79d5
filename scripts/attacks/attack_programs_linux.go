package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// programAttacks are those by who has many programs.
func programAttacks() []attack {
	h := &hiding{}
	return []attack{{name: "log-flood-programs", about: "300 programs that call once, in a flood by the same user", do: h.flood, check: h.found}}
}

// hiding are programs that are to go under in a flood.
type hiding struct{ programs []*exec.Cmd }

const hiddenPrograms = 300

func (h *hiding) flood(ctx context.Context, s *stage) error {
	flooded := make(chan error, 1)
	go func() { flooded <- floodLog("paths", 40_000)(ctx, s) }()
	if err := pause(ctx, time.Second); err != nil { // the flood is above its rate by then
		return err
	}
	err := callersWith(hiddenPrograms, func(cmd *exec.Cmd, directory string, i int) error {
		h.programs = append(h.programs, cmd)
		cmd.Path = filepath.Join(directory, fmt.Sprint("program-", i))
		if i == 0 {
			text, err := os.ReadFile(self)
			return errors.Join(err, os.WriteFile(cmd.Path, text, 0o755))
		}
		return os.Link(filepath.Join(directory, "program-0"), cmd.Path)
	})(ctx, s)
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
	for _, cmd := range h.programs {
		if !own[cmd.Process.Pid] {
			faults = append(faults, fmt.Sprintf("%s has no line of its own", cmd.Path))
		}
	}
	return faults
}
