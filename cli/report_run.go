package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"runtime/debug"
	"slices"

	"imds-analyzer/capture"
	"imds-analyzer/output"
	"imds-analyzer/report"
	"imds-analyzer/report/logs"
)

// reporting is one run of the command report.
type reporting struct {
	options reportOptions
	streams Streams
	builder *report.Builder
	logs    *logs.Diagnosing
	read    int // inputs of which something was read
	failed  int // inputs that were not read to their end
}

// runReport reads what is named and writes the report.
func runReport(ctx context.Context, o reportOptions, streams Streams) error {
	debug.SetGCPercent(offlineGCPercent)
	if err := o.checkInventoryStays(); err != nil {
		return err
	}
	from, err := o.giveUp(ctx, streams)
	if o.place != nil {
		defer o.place.Close()
	}
	if err != nil {
		return err
	}
	streams.Own = false // its captures are read by what gives up rights, too
	r := &reporting{options: o, streams: streams, builder: report.New(o.judge)}
	r.logs = logs.Diagnose(r.builder)
	found, err := r.find(ctx, from)
	if err != nil {
		return err
	}
	r.readAll(ctx, found)
	if r.read == 0 && r.failed > 0 {
		return saidError{exitFailed}
	}
	made := r.builder.Report()
	if err := r.write(made); err != nil {
		return err
	}
	return r.status(made)
}

// find reads the lists of instances, and finds what else is to be read.
func (r *reporting) find(ctx context.Context, from origin) (*inputs, error) {
	listed, err := r.options.readInventory(ctx, from)
	if err != nil {
		return nil, err
	}
	found, err := findReportInputs(ctx, from, &r.options, r.streams.In)
	if err != nil {
		return nil, err
	}
	for _, in := range found.inputs {
		if err := in.checkNotWritten(r.options.targets); err != nil {
			return nil, usageError{err}
		}
	}
	for _, passed := range found.passedOver {
		say(r.streams.Err, "%s", passed)
	}
	r.builder.PassedOver(found.unread)
	r.builder.Listed(listed)
	return found, nil
}

// giveUp gives up what a report does not take. The file that it is written to is made
// before, and takes its name in the end, by the rights of whose the directory is.
func (o *reportOptions) giveUp(ctx context.Context, streams Streams) (from origin, err error) {
	o.targets = targets(o.output)
	if o.place, err = openReportPlace(ctx, streams.Err, o.output); err != nil {
		return nil, fmt.Errorf("cannot write the report: %w", err)
	}
	r := reader{names: append(slices.Clone(o.named), o.inventory...), to: readAs(), open: o.makeReport}
	if o.place != nil && o.place.special == nil {
		r.to, r.keep = writerIn(o.place.directory)
	}
	from, limits, err := r.giveUp(streams.Own, false)
	for _, limit := range limits {
		say(streams.Err, "%s", limit)
	}
	return from, err
}

// makeReport makes the file of the report while there are the rights to: it is root's
// then, and where there can be none that is known before anything is read.
func (o *reportOptions) makeReport() error {
	if o.place == nil || o.place.special != nil || !hasRights() {
		return nil
	}
	if err := o.place.make(); err != nil {
		return fmt.Errorf("cannot write the report: no file can be made in %s: %w", filepath.Dir(o.output), cause(err))
	}
	return nil
}

// readAll reads the states first, so that calls of a log are not counted again that
// are in a state.
func (r *reporting) readAll(ctx context.Context, found *inputs) {
	for _, in := range found.ofKind(stateInput) {
		r.took(in.name, r.readState(in))
	}
	for _, in := range found.ofKind(logInput, unknownInput) {
		if ctx.Err() != nil {
			break
		}
		r.took(in.name, r.readLog(ctx, in))
	}
	if captures := found.ofKind(captureInput); len(captures) > 0 && ctx.Err() == nil {
		r.readCaptures(ctx, captures)
	}
	if ctx.Err() != nil {
		r.took("the input", partialError{errEndedEarly})
	}
}

// errEndedEarly: a signal has ended the reading.
var errEndedEarly = errors.New("reading ended before it did")

// took says what was wrong with an input. The report has it, too: silence proves
// nothing then.
func (r *reporting) took(name string, err error) {
	if err == nil || errors.Is(err, errPartial) {
		r.read++
	}
	if err != nil {
		r.failed++
		r.builder.Malformed(name, 0, err)
		say(r.streams.Err, "%s: %s", name, err)
	}
}

func (r *reporting) readState(in input) error {
	file, err := in.open(r.streams.In)
	if err != nil {
		return cause(err)
	}
	defer file.Close()
	state, err := report.ReadState(file)
	if err != nil {
		return err
	}
	return r.builder.State(state)
}

func (r *reporting) readLog(ctx context.Context, in input) error {
	file, err := in.open(r.streams.In)
	if err != nil {
		return cause(err)
	}
	defer file.Close()
	head, _ := file.Head(logs.HeadBytes)
	if in.kind == unknownInput && len(head) > 0 && !capture.IsText(head) {
		return fmt.Errorf("%w: it %s", errNeither, capture.LooksLike(head))
	}
	entries := &countedEntries{Receiver: r.logs}
	err = endOfLog(logs.Read(ctx, file, in.name, entries))
	switch {
	case err != nil && entries.n > 0:
		return partialError{err}
	case err == nil && entries.n == 0 && len(head) > 0:
		return fmt.Errorf("%w: it holds no entry of imds-analyzer's log", errNeither)
	}
	return err
}

// endOfLog says why a log was not read to its end.
func endOfLog(err error) error {
	switch {
	case errors.Is(err, context.Canceled):
		return errEndedEarly
	case errors.Is(err, capture.ErrTruncated):
		return errors.New("the log is cut off: its compression has no end")
	case errors.Is(err, capture.ErrDamaged):
		return errors.New("the log is damaged: its compression is not what it should be")
	}
	return cause(err)
}

// countedEntries counts what is handed on.
type countedEntries struct {
	logs.Receiver
	n uint64
}

func (c *countedEntries) Call(e *output.Entry) {
	c.n++
	c.Receiver.Call(e)
}

func (c *countedEntries) Lifecycle(l *output.Lifecycle) {
	c.n++
	c.Receiver.Lifecycle(l)
}

// cause is an error of the operating system without the name of its file.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
