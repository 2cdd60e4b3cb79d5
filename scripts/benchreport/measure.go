package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
)

// The aims for 1,000 hosts with 1,000 entries each.
const (
	aimWall = 20 * time.Second
	aimRSS  = 128 << 20
)

// cost is what one run took.
type cost struct {
	wall, cpu time.Duration
	rss       int64 // bytes; 0 if the system does not tell
}

// measure has the program report, and prints the medians of what that took.
func (p *plan) measure(ctx context.Context, out io.Writer) error {
	files, size, err := sizeOf(p.dir())
	if err != nil {
		return fmt.Errorf("the logs are missing (generate makes them): %w", err)
	}
	fmt.Fprintf(out, "%d logs, %d entries, %d MB\n", files, p.hosts*p.entries, size/1e6)
	for _, format := range []string{"text", "json"} {
		if err := p.inFormat(ctx, format, out); err != nil {
			return err
		}
	}
	fmt.Fprintf(out, "the aim for 1,000 hosts with 1,000 entries is %v, %d MiB\n", aimWall, aimRSS>>20)
	return nil
}

// inFormat has a report made in one format, round after round.
func (p *plan) inFormat(ctx context.Context, format string, out io.Writer) error {
	var costs []cost
	for range p.rounds {
		c, err := p.report(ctx, format)
		if err != nil {
			return err
		}
		costs = append(costs, c)
	}
	fmt.Fprintf(out, "%s: %.1f s, CPU %.1f s, RSS %d MiB\n", format, middle(costs, func(c cost) time.Duration { return c.wall }).Seconds(),
		middle(costs, func(c cost) time.Duration { return c.cpu }).Seconds(), middle(costs, func(c cost) int64 { return c.rss })>>20)
	return nil
}

// middle is the median of a figure.
func middle[N cmp.Ordered](costs []cost, of func(cost) N) N {
	var all []N
	for _, c := range costs {
		all = append(all, of(c))
	}
	slices.Sort(all)
	return all[len(all)/2]
}

// sizeOf reads how large the files of a directory are, and has them read once, so that
// no run has to wait for the disk.
func sizeOf(dir string) (files int, size int64, err error) {
	err = filepath.WalkDir(dir, func(name string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		n, err := io.Copy(io.Discard, file)
		files++
		size += n
		return errors.Join(err, file.Close())
	})
	return files, size, err
}

// report runs the program once, and checks that it has counted every call, which the
// report says as JSON. That is long, and read from a file: what memory this process
// takes would count for the next run (getrusage(2)).
func (p *plan) report(ctx context.Context, format string) (c cost, err error) {
	made, err := os.CreateTemp(p.data, "report-")
	if err != nil {
		return cost{}, err
	}
	defer func() { err = errors.Join(err, made.Close(), os.Remove(made.Name())) }()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, p.binary, "report", "--format", format, p.dir())
	cmd.Stdout, cmd.Stderr = made, &said
	start := time.Now()
	if err := cmd.Run(); err != nil {
		return cost{}, fmt.Errorf("%s: %w: %s", p.binary, err, said.Bytes())
	}
	c = cost{wall: time.Since(start), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(), rss: peakRSS(cmd.ProcessState)}
	if format != "json" {
		return c, nil
	}
	if _, err := made.Seek(0, io.SeekStart); err != nil {
		return cost{}, err
	}
	return c, p.check(made)
}

// check holds a report against what the logs have.
func (p *plan) check(made io.Reader) error {
	var r struct {
		Calls struct {
			V1      int `json:"v1"`
			V2      int `json:"v2"`
			Unknown int `json:"unknown"`
		} `json:"calls"`
	}
	if err := json.UnmarshalRead(made, &r); err != nil {
		return err
	}
	if n := r.Calls.V1 + r.Calls.V2; n != p.hosts*p.entries || r.Calls.V1 == 0 || r.Calls.Unknown > 0 {
		return fmt.Errorf("the report counts %+v, but there are %d calls", r.Calls, p.hosts*p.entries)
	}
	return nil
}
