package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"imds-analyzer/output"
	"imds-analyzer/output/logfile"
	"imds-analyzer/report"
	"imds-analyzer/report/page"
)

// write writes the report where it is to go.
func (r *reporting) write(made *report.Report) error {
	name := r.options.output
	if name == "" {
		return r.writeTo(r.streams.Out, standardOutput, made)
	}
	to := r.options.place
	if to.special != nil {
		return errors.Join(r.writeTo(to.special, name, made), to.special.Close())
	}
	var failed error
	err := to.writeAtomically(func(w io.Writer) error {
		failed = r.writeTo(w, name, made)
		return failed
	})
	if err != nil && failed == nil {
		err = fmt.Errorf("cannot write the report: %w", err)
	}
	return err
}

// openReportPlace opens where a report is to be; nil for standard output. A pipe stays one,
// if it is not one that others may have put there, and so does a name such as /dev/stdout,
// also if that is a regular file now.
func openReportPlace(ctx context.Context, stderr io.Writer, name string) (*place, error) {
	if name == "" {
		return nil, nil
	}
	if at, ok := logfile.Descriptor(name); ok {
		file, err := openDescriptor(at)
		return &place{special: file}, err
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		file, err := openForReader(ctx, stderr, logfile.Target(name), os.O_WRONLY)
		return &place{special: file}, err
	}
	sweep(name)
	return openPlace(name)
}

func (r *reporting) writeTo(out io.Writer, name string, made *report.Report) error {
	buffered := bufio.NewWriter(out)
	write := made.Print
	switch r.options.format {
	case formatJSON:
		write = made.JSON
	case formatHTML:
		write = func(w io.Writer) error { return page.Write(w, made, page.Made{Version: version(), At: time.Now()}) }
	}
	err := write(buffered)
	if err == nil {
		err = buffered.Flush()
	}
	if err != nil {
		return output.WriteError(name, err)
	}
	return nil
}

// status is the exit status.
func (r *reporting) status(made *report.Report) error {
	status := exitDone
	switch {
	case r.options.exitCode:
		status = verdictStatus(made.Verdict.Status)
	case r.failed > 0:
		status = exitPartial
	}
	if status == exitDone {
		return nil
	}
	return saidError{status}
}
