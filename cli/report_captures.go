package cli

import (
	"context"
	"errors"

	"imds-analyzer/output"
	"imds-analyzer/report"
)

// readCaptures reads captures as one, as -r does, and gives the report the entries
// that the log would hold.
func (r *reporting) readCaptures(ctx context.Context, captures []input) {
	into := &captureReceiver{builder: r.builder}
	o := options{
		endpoints: r.options.endpoints,
		format:    formatNone,
		found:     &inputs{inputs: captures},
		receiver:  into,
	}
	for _, in := range captures {
		o.read = append(o.read, in.name)
	}
	err := run(ctx, o, r.streams)
	if said := (saidError{}); err != nil && !errors.As(err, &said) {
		r.took("captures", err)
		return
	}
	if err == nil || into.packets > 0 {
		r.read++
	}
	if err != nil { // was said, and the report has it with the capture's counts
		r.failed++
	}
}

// captureReceiver gives a report what comes of captures.
type captureReceiver struct {
	builder *report.Builder
	packets uint64
}

// Call implements entryWriter.
func (c *captureReceiver) Call(e *output.Entry) error {
	c.builder.Call(e)
	return nil
}

// Lifecycle implements entryWriter.
func (c *captureReceiver) Lifecycle(l *output.Lifecycle) error {
	if counts := l.IMDS.Capture.Counts; counts != nil {
		c.packets = counts.PacketsReceived
	}
	c.builder.Lifecycle(l)
	return nil
}

// Flush implements entryWriter.
func (c *captureReceiver) Flush() error { return nil }
