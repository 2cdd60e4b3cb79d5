package cli

import (
	"fmt"
	"io"
	"os"
	"time"

	"imds-analyzer/output"
)

// logFileMode: only the owner may read what this host's software does.
const logFileMode = 0o600

// journal is where records go: the log, the terminal and the summary. It
// belongs to one goroutine at a time.
type journal struct {
	options options
	session output.Session
	writers []*output.Writer
	console *output.Console
	file    *os.File
	summary *output.Summary
	written uint64
	err     error
	// stop ends the capture.
	stop func()
}

// standardOutput is how errors call it.
const standardOutput = "standard output"

// openJournal opens the outputs that the options ask for.
func openJournal(o options, streams Streams, stop func()) (*journal, error) {
	j := &journal{options: o, summary: output.NewSummary(), stop: stop}
	if o.output != "" {
		file, err := os.OpenFile(o.output, os.O_WRONLY|os.O_CREATE|os.O_APPEND, logFileMode)
		if err != nil {
			return nil, fmt.Errorf("cannot write the log: %w", err)
		}
		j.file = file
		j.writers = append(j.writers, output.NewWriter(file, o.output, true))
	}
	switch o.standardFormat(isTerminal(streams.Out)) {
	case formatJSON:
		j.writers = append(j.writers, output.NewWriter(streams.Out, standardOutput, true))
	case formatText:
		color := isTerminal(streams.Out) && os.Getenv("NO_COLOR") == "" // no-color.org
		j.console = output.NewConsole(streams.Out, standardOutput, color, terminalSize(streams.Out))
	}
	return j, nil
}

// beside returns a writer for standard error that leaves alone what the console
// shows: both may be one terminal.
func (j *journal) beside(stderr io.Writer) io.Writer {
	if j.console == nil {
		return stderr
	}
	return j.console.Beside(stderr)
}

// standardFormat is what goes to standard output: nothing if a file has the
// log and nobody is watching.
func (o *options) standardFormat(terminal bool) string {
	switch {
	case o.format != formatAuto:
		return o.format
	case terminal:
		return formatText
	case o.output != "":
		return ""
	}
	return formatJSON
}

// record takes in a record. After the last entry that was asked for, and after
// an error, it is counted only.
func (j *journal) record(r output.Record) {
	e := output.NewEntry(r, j.session.Host)
	j.summary.Add(&e)
	if j.err != nil || j.full() || j.options.only == onlyV1 && e.IMDS.Version == "v2" {
		return
	}
	for _, w := range j.writers {
		j.check(w.Call(&e))
	}
	if j.console != nil {
		j.check(j.console.Call(&e))
	}
	j.written++
	if j.full() {
		j.stop()
	}
}

func (j *journal) full() bool { return j.options.count > 0 && j.written >= j.options.count }

// lifecycle writes a line about the capture to the log.
func (j *journal) lifecycle(l output.Lifecycle) {
	for _, w := range j.writers {
		j.check(w.Lifecycle(&l))
	}
}

// progress writes a line about the capture with the counts so far.
func (j *journal) progress(action output.LifecycleAction, stats output.CaptureStats) {
	j.lifecycle(j.session.Progress(action, time.Now(), j.summary.Counts(stats)))
}

// flush writes what is buffered.
func (j *journal) flush() {
	for _, w := range j.writers {
		j.check(w.Flush())
	}
	if j.console != nil {
		j.check(j.console.Flush())
	}
}

// check notes the first error, and ends the capture: what it finds can no
// longer be written.
func (j *journal) check(err error) {
	if err != nil && j.err == nil {
		j.err = err
		j.stop()
	}
}

// close closes the log file and returns what went wrong.
func (j *journal) close() error {
	j.flush()
	if j.file == nil {
		return j.err
	}
	if err := j.file.Close(); err != nil && j.err == nil {
		j.err = output.WriteError(j.options.output, err)
	}
	return j.err
}
