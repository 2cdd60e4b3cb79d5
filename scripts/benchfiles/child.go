package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"
)

// cost is what one run of a program took.
type cost struct {
	// Wall is the time from the start to the end, CPU the time on processors,
	// of the program and the kernel for it (getrusage(2)); both in seconds.
	Wall float64 `json:"wall_s"`
	CPU  float64 `json:"cpu_s"`
	// RSS is the most memory that the process had at a time, in MiB; 0 if the
	// system does not tell. Linux counts what the process that starts it has
	// had until then: see floor.
	RSS float64 `json:"rss_mib"`
}

// runChild runs a command to its end, with what it prints in the file out, or on the null
// device if that is nil. An error has the last line that the command had to say.
func runChild(ctx context.Context, args []string, out io.Writer) (cost, error) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = out, &said
	began := time.Now()
	err := cmd.Run()
	wall := time.Since(began)
	if err != nil {
		return cost{}, fmt.Errorf("%s: %w: %s", strings.Join(args, " "), err, lastLine(said.String()))
	}
	state := cmd.ProcessState
	return cost{
		Wall: wall.Seconds(),
		CPU:  (state.UserTime() + state.SystemTime()).Seconds(),
		RSS:  float64(peakRSS(state)) / (1 << 20),
	}, nil
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndex(text, "\n")+1:]
}

// floor is the least memory in MiB that a child can be seen to have. At
// execve(2) Linux counts for the new program the peak of the memory that the
// process had before, which was shared with this one. A program that has next
// to none of its own shows how much that is.
func floor(ctx context.Context) (float64, error) {
	c, err := runChild(ctx, []string{"true"}, nil)
	return c.RSS, err
}
