package cli

import (
	"context"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"imds-analyzer/metrics"
	"imds-analyzer/output"
)

// logFileMode: only the owner may read what this host's software does.
const logFileMode = 0o600

// journal is where records go: the log, the terminal and the summary. One goroutine
// at a time gives it what it is to write; the enricher's give entries back
// meanwhile.
type journal struct {
	options options
	session output.Session
	// root is that of the file system which the session's host is read from; nil if it
	// is another machine's capture. hostRead is when it was read last.
	root     fs.FS
	hostRead time.Time
	// stop ends the capture.
	stop func()
	// enricher is nil without --enrich.
	enricher *enricher
	// state is nil without --state.
	state *keeper
	// folder is nil without --fold.
	folder *output.Folder
	// limiter is nil where files are read, and without --max-entry-rate.
	limiter *output.Limiter
	// shown is the limiter's like for lines that the terminal alone has.
	shown *output.Limiter
	// now is the clock of a live capture, nil where files are read.
	now func() time.Time
	// entry is that of the latest record, kept so that not each takes a new one.
	entry   output.Entry
	callers output.Callers

	// missing is how many entries the log lacks that lacks the most, as the writer saw it
	// last, and beyond is true if there were calls after the last entry that was asked for:
	// who asks does not wait for a write that stalls.
	missing atomic.Uint64
	beyond  atomic.Bool

	mu      sync.Mutex // guards what follows
	writers []entryWriter
	lasting []*lastingLog // those of the writers that outlast errors
	console *output.Console
	place   io.Closer // where the log goes that does not outlast them, nil if there is none
	stderr  io.Writer // for what people are told
	summary *output.Summary
	metrics *metrics.Counters     // nil if the counts go nowhere else
	told    output.EmbeddedCounts // those that lines of the log have told CloudWatch
	folded  uint64                // calls that have no entry of their own
	taken   uint64                // entries that are written, or will be
	err     error
}

// entryWriter takes entries, with the errors of output.Writer. It does not keep them.
type entryWriter interface {
	Call(*output.Entry) error
	Lifecycle(*output.Lifecycle) error
	Flush() error
}

// standardOutput is how errors call it.
const standardOutput = "standard output"

// openJournal opens the outputs that the options ask for. out writes to standard
// output.
func openJournal(ctx context.Context, o options, streams Streams, out io.Writer, stop func()) (*journal, error) {
	j := &journal{options: o, summary: output.NewSummary(), folder: output.NewFolder(o.fold), stop: stop, stderr: streams.Err}
	if o.live() {
		j.limiter, j.now = output.NewLimiter(o.maxEntryRate), time.Now
	}
	if o.receiver != nil {
		j.writers = append(j.writers, o.receiver)
		return j, nil
	}
	if o.output != "" {
		if err := j.openFile(ctx, &o); err != nil {
			return nil, err
		}
	}
	if o.journald {
		if err := j.openJournald(); err != nil {
			return nil, err
		}
	}
	switch o.standardFormat(isTerminal(streams.Out)) {
	case formatJSON:
		j.writers = append(j.writers, output.NewWriter(out, standardOutput, true))
	case formatText:
		if o.live() {
			j.shown = output.NewLimiter(o.maxEntryRate)
		}
		color := isScreen(streams.Out) && os.Getenv("NO_COLOR") == "" // no-color.org
		j.console = output.NewConsole(out, standardOutput, color, terminalSize(streams.Out))
	}
	return j, nil
}

// beside returns a writer for standard error that leaves alone what the console
// shows: both may be one terminal.
func (j *journal) beside(stderr io.Writer) io.Writer {
	if j.console != nil {
		j.stderr = j.console.Beside(stderr)
	}
	return j.stderr
}

// standardFormat is what goes to standard output: nothing if a file has the
// log and nobody is watching.
func (o *options) standardFormat(terminal bool) string {
	switch {
	case o.format != formatAuto:
		return o.format
	case terminal:
		return formatText
	case o.output != "" || o.journald:
		return ""
	}
	return formatJSON
}

// enrichWith has entries pass through the enricher, before start.
func (j *journal) enrichWith(n *enricher, stderr io.Writer) {
	j.summary.Enriching()
	n.done = j.enriched
	n.say = func(err error) {
		say(stderr, "the command of --enrich: %s; the summary counts the calls that are logged without its labels", err)
	}
	j.enricher = n
}

// start makes it ready for records, which finish ends: all that are on their way
// are written then.
func (j *journal) start() {
	if j.enricher != nil {
		j.enricher.start()
	}
}

func (j *journal) finish() {
	j.passFolded(j.folder.Flush())
	j.passFolded(j.limiter.Flush())
	if j.enricher != nil {
		j.enricher.finish()
	}
}

// record takes in a record, which it does not keep. After an error it is counted only;
// with the last entry that was asked for the run has ended, however far reading is ahead.
func (j *journal) record(r *output.Record) {
	e := &j.entry
	if j.root != nil { // else the time, which takes a while to ask for, is not needed
		j.readHost(time.Now())
	}
	j.callers.Describe(e, r, &j.session.Host)
	if !j.take(e) {
		return
	}
	if now := j.clock(e); !j.fold(e, now) && !j.limit(e, now) {
		j.pass(e)
	}
}

// hostEvery is how often the host is read again, at most: that takes 14 µs before
// cloud-init has run.
const hostEvery = time.Second

// readHost has the machine known as it is now: cloud-init tells its name and region after
// a capture of the whole boot began.
func (j *journal) readHost(now time.Time) {
	if j.root == nil || now.Sub(j.hostRead) < hostEvery {
		return
	}
	j.hostRead = now
	j.mu.Lock() // a line about what is missing from a log is also written when the enricher gives an entry back
	defer j.mu.Unlock()
	j.session.Host.Refresh(j.root)
}

// pass has an entry written, at once or when it comes back from the enricher.
func (j *journal) pass(e *output.Entry) {
	if j.enricher != nil {
		j.enricher.add(*e)
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.write(e)
}

// take counts an entry, and reports whether it is to be written.
func (j *journal) take(e *output.Entry) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.full() {
		j.beyond.Store(true)
		return false
	}
	j.summary.Add(e)
	if j.metrics != nil {
		j.metrics.Call(e)
	}
	j.state.call(e)
	if j.err != nil || j.options.only == onlyV1 && e.IMDS.Version == "v2" {
		return false
	}
	j.taken++
	if j.full() {
		j.stop()
	}
	return true
}

// endedEarly reports whether calls were left out that came after the last that was asked for.
// It waits for nothing.
func (j *journal) endedEarly() bool { return j.beyond.Load() }

func (j *journal) full() bool { return j.options.count > 0 && j.taken >= j.options.count }

// enriched writes an entry that comes back from the enricher, at once: nobody
// knows when the next one comes. An error is why it has no labels.
func (j *journal) enriched(e *output.Entry, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err != nil {
		j.summary.NotEnriched(e, reasonOf(err))
	}
	j.write(e)
	j.flushAll()
}

// write writes an entry, unless writing has failed.
func (j *journal) write(e *output.Entry) {
	if j.err != nil {
		return
	}
	for _, w := range j.writers {
		j.check(w.Call(e))
	}
	j.countMissing()
	if !e.Held() { // else its calls were shown as they came
		j.show(e)
	}
}

// show shows a call on the console, if there is one.
func (j *journal) show(e *output.Entry) {
	if j.console != nil && j.err == nil {
		j.check(j.console.Call(e))
	}
}

// reopen has logs go on in the files that have their names now.
func (j *journal) reopen() {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range j.lasting {
		l.reopen()
	}
	j.countMissing()
}

// due is how long to wait before flush is called again, 0 if nothing waits for it.
func (j *journal) due() (wait time.Duration) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range j.lasting {
		if due := l.spool.Due(); due > 0 && (wait == 0 || due < wait) {
			wait = due
		}
	}
	return wait
}

// flush writes what is buffered.
func (j *journal) flush() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.flushAll()
}

func (j *journal) flushAll() {
	for _, w := range j.writers {
		j.check(w.Flush())
	}
	j.countMissing()
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
		if j.enricher != nil {
			j.enricher.giveUp()
		}
	}
}

// close closes the logs and the state, and returns what went wrong.
func (j *journal) close() []error {
	errs := []error{j.closePlace()}
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, l := range j.lasting {
		errs = append(errs, l.close())
	}
	j.countMissing()
	return append(errs, j.state.close())
}

func (j *journal) closePlace() error {
	j.flush()
	if j.place == nil {
		return j.err
	}
	if err := j.place.Close(); err != nil && j.err == nil {
		j.err = output.WriteError(j.options.output, err)
	}
	return j.err
}
