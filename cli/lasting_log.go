package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/output"
	"imds-analyzer/output/journald"
	"imds-analyzer/output/logfile"
	"imds-analyzer/output/spool"
)

// lastingLog is the log of a live capture in a file or the journal: a place that can
// come back. What cannot be written waits, and the capture goes on. It implements
// entryWriter, never fails, and is not safe for concurrent use.
type lastingLog struct {
	*output.Writer
	name  string
	place io.Closer
	spool *spool.Spool
	file  *logfile.File // nil if it is the journal
	// cutOff are the half lines of others that were cut off in the file, which the spool
	// was told of: they are no entries of this capture.
	cutOff uint64
	say    func(format string, args ...any)
	// troubled is true if people were told that it cannot be written, and unrotated what
	// they were told of its file.
	troubled  bool
	unrotated string
	told      time.Time // when they were told that
}

// tellEvery is how often people are told of another reason why a file is not rotated or
// opened anew: who can write where it is can change the reason all the time.
const tellEvery = time.Minute

// newLastingLog returns the log in the place, from which lines are missing already.
func newLastingLog(j *journal, name string, place io.WriteCloser, missing uint64) *lastingLog {
	gap := func(missing uint64) []byte {
		l := j.session.Gap(time.Now(), missing, j.summary.Counts(output.CaptureStats{}))
		return l.AppendLine(nil)
	}
	s := spool.New(place, gap, missing)
	return &lastingLog{
		Writer: output.NewWriter(s, name, true), name: name, place: place, spool: s,
		say: func(format string, args ...any) { say(j.stderr, format, args...) },
	}
}

// openFile opens the file of -o. A live capture's outlasts errors, if it is a regular one:
// from a capture file the entries can be had again.
func (j *journal) openFile(ctx context.Context, o *options) error {
	file, err := logfile.Open(o.output, logfile.Options{RotateSize: int64(o.rotateSize), Keep: o.rotateKeep, IsCapture: mayBeCapture})
	switch {
	case errors.Is(err, logfile.ErrNotRegular) && o.rotateSize == 0:
		return j.openDevice(ctx, o.output)
	case errors.Is(err, logfile.ErrCapture):
		return usageError{fmt.Errorf("cannot write the log: %w (packets are saved with -w)", err)}
	case err != nil:
		return fmt.Errorf("cannot write the log: %w", err)
	case o.live():
		l := newLastingLog(j, o.output, file, file.CutOff())
		l.file, l.cutOff = file, file.CutOff()
		j.addLasting(l)
	default:
		j.place = file
		j.writers = append(j.writers, output.NewWriter(file, o.output, true))
	}
	return nil
}

// mayBeCapture reports whether a file begins as a capture does that can be read.
func mayBeCapture(head []byte) bool { return capture.IsCapture(head) || capture.IsPacked(head) }

// openDevice opens what is no regular file, such as a pipe: what could not be written to
// it is lost.
func (j *journal) openDevice(ctx context.Context, name string) error {
	file, err := openForReader(ctx, j.stderr, logfile.Target(name), os.O_WRONLY|os.O_APPEND)
	if err != nil {
		return fmt.Errorf("cannot write the log: %w", err)
	}
	j.place = file
	j.writers = append(j.writers, output.NewWriter(file, name, true))
	return nil
}

// theJournal is how errors call it.
const theJournal = "the journal"

// openJournald opens the journal of systemd.
func (j *journal) openJournald() error {
	to, err := journald.Open(journald.Socket)
	if err != nil {
		return fmt.Errorf("cannot write to the journal: %w: --journald takes a system with systemd-journald", err)
	}
	j.addLasting(newLastingLog(j, theJournal, to, 0))
	return nil
}

func (j *journal) addLasting(l *lastingLog) {
	j.lasting = append(j.lasting, l)
	j.writers = append(j.writers, l)
}

// Lifecycle implements entryWriter: the line says what is missing from this log.
func (l *lastingLog) Lifecycle(line *output.Lifecycle) error {
	counted := *line
	counted.NotWritten(l.spool.Missing())
	err := l.Writer.Lifecycle(&counted)
	l.tell()
	return err
}

// Flush implements entryWriter. What waits is tried again, if it is time to.
func (l *lastingLog) Flush() error {
	err := l.Writer.Flush()
	l.spool.Flush()
	l.tell()
	return err
}

// reopen has the log go on in the file that has the name now.
func (l *lastingLog) reopen() {
	if l.file != nil {
		_ = l.Flush()
		l.file.Reopen()
		l.tell()
	}
}

// tell tells people when something begins to fail, and when it works again.
func (l *lastingLog) tell() {
	l.countCutOff()
	err := l.spool.Err()
	if err != nil && !l.troubled {
		l.say("%s. The capture goes on: the latest entries are kept until there is a way to write them", output.WriteError(l.name, err))
	}
	if err == nil && l.troubled {
		l.say("%s is written again, %s missing from it", l.name, countEntries(l.spool.Missing()))
	}
	l.troubled = err != nil
	if l.file != nil {
		l.tellUnrotated(l.file.Err())
	}
}

func (l *lastingLog) tellUnrotated(err error) {
	switch {
	case err == nil:
		l.unrotated = ""
	case err.Error() != l.unrotated && time.Since(l.told) >= tellEvery:
		l.unrotated, l.told = err.Error(), time.Now()
		l.say("%s: the log goes on where it was, and it is tried again", l.unrotated)
	}
}

// countCutOff has the log tell of half lines that were cut off since, in files that were
// opened anew.
func (l *lastingLog) countCutOff() {
	if l.file != nil {
		l.spool.Lacks(l.file.CutOff() - l.cutOff)
		l.cutOff = l.file.CutOff()
	}
}

// notWritten is how many entries of this capture are missing.
func (l *lastingLog) notWritten() uint64 { return l.spool.Missing() - l.cutOff }

// close writes what waits, if it can be, closes the log and returns what went wrong.
func (l *lastingLog) close() error {
	why := l.spool.Close()
	failed := l.place.Close()
	switch n := l.notWritten(); {
	case why != nil:
		return missingError{fmt.Errorf("%w; %s missing", output.WriteError(l.name, why), countEntries(n))}
	case n > 0:
		return missingError{fmt.Errorf("%s: %s missing, of a time when it could not be written", l.name, countEntries(n))}
	case failed != nil:
		return output.WriteError(l.name, failed)
	}
	return nil
}

// missingError: entries are missing from the log, and all others are there.
type missingError struct{ error }

func (e missingError) Unwrap() []error { return []error{e.error, errPartial} }

// countEntries is a number of them, with the verb.
func countEntries(n uint64) string {
	switch n {
	case 0:
		return "no entry is"
	case 1:
		return "1 entry is"
	}
	return fmt.Sprintf("%d entries are", n)
}

// reopenOnHangup has SIGHUP, by which a log is rotated, open the log anew. Service managers
// send it whether there is a file or not, and it must not end a capture. A terminal that
// is closed sends it, too: then it does.
func (s *session) reopenOnHangup(terminal bool) (stop func()) {
	if !s.options.live() || terminal {
		return func() {}
	}
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	s.hangups = hangups
	return func() { signal.Stop(hangups) }
}
