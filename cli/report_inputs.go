package cli

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"slices"

	"imds-analyzer/capture"
	"imds-analyzer/report"
	"imds-analyzer/report/logs"
)

// inputKind is what an input of a report is by its content.
type inputKind uint8

// The kinds. What begins with other things for long may be a log all the same.
const (
	unknownInput inputKind = iota
	captureInput
	logInput
	stateInput
)

// errNeither: it begins with nothing that a report is made of.
var errNeither = fmt.Errorf("%w, no log and no state file", capture.ErrNotCapture)

// findReportInputs finds what a report is to read. Streams are opened, as they can be
// looked at but once; it waits for who writes them until ctx ends.
func findReportInputs(ctx context.Context, from origin, o *reportOptions, stdin io.Reader) (*inputs, error) {
	found := &inputs{forReport: true, otherwise: o.inventory, from: from}
	if err := found.find(ctx, o.named, stdin); err != nil {
		return nil, err
	}
	for i := range found.inputs {
		if in := &found.inputs[i]; in.stream {
			if err := in.lookAtStream(ctx, stdin); err != nil {
				return nil, plain(err)
			}
		}
	}
	slices.SortStableFunc(found.inputs, func(a, b input) int { return a.begins.Compare(b.begins) })
	return found, nil
}

// ofKind returns the inputs of these kinds.
func (f *inputs) ofKind(kinds ...inputKind) []input {
	return slices.DeleteFunc(slices.Clone(f.inputs), func(in input) bool { return !slices.Contains(kinds, in.kind) })
}

// recognise finds out what a file is, and when it begins.
func (in *input) recognise(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	file, err := in.open(nil)
	if err != nil {
		return err
	}
	defer file.Close()
	switch err := in.lookAt(file); {
	case err != nil:
		return err
	case in.kind == captureInput:
		return in.look(ctx)
	case in.kind == unknownInput:
		return errNeither
	}
	return nil
}

// lookAt finds out by the first bytes what an input is: by as few as suffice, since
// there may be no more of a stream yet.
func (in *input) lookAt(file *openInput) error {
	const few = 4
	head, err := file.Head(few)
	if capture.IsCapture(head) {
		in.kind = captureInput
		return nil
	}
	head, more := file.Head(logs.HeadBytes)
	begins, isLog := logs.Look(head)
	switch {
	case report.IsState(head):
		in.kind = stateInput
	case isLog:
		in.kind, in.begins = logInput, begins
	default:
		return cmp.Or(err, more)
	}
	return nil
}

// lookAtStream opens a stream and finds out what it is.
func (in *input) lookAtStream(ctx context.Context, stdin io.Reader) error {
	looked := make(chan error, 1)
	found := *in // is another goroutine's till then
	go func() {
		var err error
		if found.looked, err = found.open(stdin); err == nil {
			_ = found.lookAt(found.looked) // is met again when it is read
		}
		looked <- err
	}()
	select {
	case err := <-looked:
		*in = found
		return err
	case <-ctx.Done():
		return fmt.Errorf("%s: nothing was read: %w", in.name, ctx.Err())
	}
}

// openInput is an input that is open, unpacked if it was packed.
type openInput struct {
	*capture.Unpacked
	io.Closer
}

// open opens an input, or returns the stream that is open already.
func (in *input) open(stdin io.Reader) (*openInput, error) {
	if in.looked != nil {
		return in.looked, nil
	}
	file := io.NopCloser(stdin)
	if !in.standard {
		var err error
		if file, err = in.from.Open(in.name); err != nil {
			return nil, err
		}
	}
	unpacked, err := capture.Unpack(file)
	if err != nil {
		_ = file.Close() // it was only read
		return nil, err
	}
	return &openInput{unpacked, file}, nil
}
