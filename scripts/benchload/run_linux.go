package main

import (
	"fmt"
	"io"
	"path/filepath"
)

// run runs the parts. A promise that was broken is told at once, and fails the run at
// its end.
func (p *plan) run(out io.Writer) (err error) {
	if p.binary, err = filepath.Abs(p.binary); err != nil {
		return err
	}
	if p.client, err = filepath.Abs(p.client); err != nil {
		return err
	}
	broken := 0
	for _, part := range []struct {
		name string
		do   func(io.Writer) (broken int, err error)
	}{
		{partRates, p.measureRates},
		{partStall, p.measureStalls},
		{partBeyond, p.measureBeyond},
		{partTraffic, p.measureTraffic},
		{partLatency, p.measureLatency},
		{partCost, p.measureCost},
		{partIdle, p.measureIdle},
	} {
		if !p.wants(part.name) {
			continue
		}
		fmt.Fprintf(out, "\n%s\n\n", part.name)
		n, err := part.do(out)
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		broken += n
	}
	if broken > 0 {
		return fmt.Errorf("%w %d times", errBroken, broken)
	}
	return nil
}

// printBroken tells of broken promises, and returns their number.
func printBroken(out io.Writer, v *verdict) int {
	all := v.broken()
	for _, fault := range all {
		fmt.Fprintf(out, "BROKEN: %s\n", fault)
	}
	return len(all)
}
