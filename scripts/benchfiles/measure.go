package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// summary is all that was measured.
type summary struct {
	Files []*result `json:"files"`
	// Floor is the least memory that can be measured, in MiB.
	Floor float64  `json:"rss_floor_mib"`
	Aims  []judged `json:"aims"`
}

// measure runs all contests of the plan and prints what came out.
func (p *plan) measure(ctx context.Context, out io.Writer) (err error) {
	scratch, err := os.MkdirTemp(p.data, "out-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	s := &summary{}
	for _, c := range p.contests {
		fmt.Fprintf(out, "%s: %d rounds\n", c.file, p.rounds)
		r, err := p.contest(ctx, c, scratch)
		if err != nil {
			return fmt.Errorf("%s: %w", c.file, err)
		}
		s.Files = append(s.Files, r)
	}
	if s.Floor, err = floor(ctx); err != nil {
		return err
	}
	s.Aims = judge(s.Files)
	s.print(out)
	return p.save(s)
}

// save writes the result as JSON where the plan says.
func (p *plan) save(s *summary) error {
	if p.json == "" {
		return nil
	}
	text, err := json.MarshalIndent(s, "", "\t")
	if err != nil {
		return err
	}
	return os.WriteFile(p.json, append(text, '\n'), 0o644)
}

// contest has a file read by all its readers in turn, round after round.
func (p *plan) contest(ctx context.Context, c contest, scratch string) (*result, error) {
	file := recipe{name: c.file}.file(p.data)
	known, err := readTruth(file)
	if err != nil {
		return nil, err
	}
	if err := warm(file); err != nil {
		return nil, err
	}
	r := &result{File: c.file, Truth: known}
	for n := range p.rounds {
		if err := p.install(scratch); err != nil {
			return nil, err
		}
		costs := make(map[string][]cost)
		for range c.runs {
			for _, reader := range c.readers {
				if !p.takesPart(reader, n) {
					continue
				}
				one, err := p.read(ctx, r, reader, file, scratch)
				if err != nil {
					return nil, err
				}
				costs[reader] = append(costs[reader], one)
			}
		}
		round := make(map[string]cost)
		for reader, all := range costs {
			round[reader] = medianCost(all)
		}
		r.Rounds = append(r.Rounds, round)
	}
	return r, nil
}

// warm reads a file once, so that no reader has to wait for the disk.
func warm(name string) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, file)
	return errors.Join(err, file.Close())
}

// read has a reader read a file, looks at what it wrote, and drops that.
func (p *plan) read(ctx context.Context, r *result, reader, file, scratch string) (_ cost, err error) {
	log, saved := filepath.Join(scratch, "log.json"), filepath.Join(scratch, "saved.pcapng")
	printed, err := os.Create(filepath.Join(scratch, "printed"))
	if err != nil {
		return cost{}, err
	}
	defer func() { err = errors.Join(err, printed.Close(), os.Remove(printed.Name())) }()
	var to io.Writer = printed
	if reader == tcpdump {
		to = nil
	}
	c, err := runChild(ctx, command(reader, installed(scratch), file, log, saved), to)
	if err != nil {
		return cost{}, err
	}
	switch reader {
	case program:
		err = checkLog(log, r.Truth)
	case saver:
		err = errors.Join(checkLog(log, r.Truth), os.Remove(saved))
	case tshark:
		if _, err = printed.Seek(0, io.SeekStart); err == nil {
			r.TsharkRequests, err = countLines(printed)
		}
	}
	return c, err
}

// installed is the program that is measured.
func installed(scratch string) string { return filepath.Join(scratch, "imds-analyzer") }

// install copies the program under test, as it is where it runs. The kernel maps more of
// the file that a linker has written, and of one copy more than of another. The copy takes
// no memory of this process (see floor).
func (p *plan) install(scratch string) (err error) {
	if err := os.Remove(installed(scratch)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	from, err := openProgram(p.binary)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, from.Close()) }()
	to, err := os.OpenFile(installed(scratch), os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	return errors.Join(err, to.Close())
}

func openProgram(name string) (*os.File, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

// checkLog holds the log against the truth and removes it.
func checkLog(name string, known truth) (err error) {
	log, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close(), os.Remove(name)) }()
	counted, err := countEntries(log)
	if err != nil {
		return err
	}
	return counted.check(known)
}

// generate makes the files that are missing, in a process of its own: memory
// that this one takes would be counted for its children (see floor).
func (p *plan) generate(ctx context.Context, out io.Writer) error {
	var missing []string
	for _, c := range p.contests {
		if !(recipe{name: c.file}).isThere(p.data) {
			missing = append(missing, c.file)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, self, append([]string{"generate", "-out", p.data}, missing...)...)
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("capture files could not be made: %w", err)
	}
	return nil
}

// findBinary says that the program is missing before files are made for it.
func (p *plan) findBinary() error {
	if _, err := exec.LookPath(p.binary); err != nil {
		return fmt.Errorf("the program under test: %w", err)
	}
	return nil
}
