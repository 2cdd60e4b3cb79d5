package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// run runs the parts. What a check has found is told at once, and fails the run at its
// end; the table of such a part does not go into the document.
func (p *plan) run(ctx context.Context, out io.Writer) (err error) {
	if err := p.checkDocument(); err != nil {
		return err
	}
	if p.binary, err = filepath.Abs(p.binary); err != nil {
		return err
	}
	if p.client, err = filepath.Abs(p.client); err != nil {
		return err
	}
	failed := 0
	for _, part := range []struct {
		name string
		do   func(context.Context, io.Writer) (failed int, err error)
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
		var printed strings.Builder
		n, err := part.do(ctx, io.MultiWriter(out, &printed))
		if err == nil && n == 0 {
			err = p.publish(part.name, printed.String())
		}
		if err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
		failed += n
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d", errFailed, failed)
	}
	return nil
}

// printFaults tells what checks have found, and returns how much that is.
func printFaults(out io.Writer, checks ...faults) (n int) {
	for _, check := range checks {
		for _, fault := range check {
			fmt.Fprintf(out, "FAILED: %s\n", fault)
			n++
		}
	}
	return n
}
