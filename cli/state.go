package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"imds-analyzer/output"
	"imds-analyzer/output/logfile"
	"imds-analyzer/report"
)

// stateInterval is how often the state is saved: so much is forgotten when the machine
// fails.
const stateInterval = time.Minute

// stallAfter is how long after a signal the state is saved though the output has stalled:
// half a second before the program is ended for that.
const stallAfter = stopWithin - 500*time.Millisecond

// keeper keeps what was counted since its first run in a file, so that a log that was
// rotated away takes no evidence along. It is safe for concurrent use, as it is saved also
// while nothing else goes on; nil keeps nothing.
type keeper struct {
	file string
	lock io.Closer
	say  func(error)

	mu     sync.Mutex // guards what follows
	built  *report.Builder
	err    error // of the last time that it was saved
	closed bool
}

// errInUse: another process keeps the same file.
var errInUse = errors.New("another imds-analyzer keeps it")

// keepState opens the state that is to be kept, if one is.
func (s *session) keepState() error {
	if s.options.state == "" {
		return nil
	}
	k, limit, err := openKeeper(s.options.state)
	if err != nil {
		return err
	}
	if limit != "" {
		s.limits = append(s.limits, limit)
	}
	k.say = func(err error) { say(s.streams.Err, "%s; it is tried again every %v", err, stateInterval) }
	if k.err != nil {
		k.say(k.err)
	}
	s.log.state = k
	return nil
}

// lockOf is the file that says that the state is kept.
func lockOf(state string) string { return state + ".lock" }

// openKeeper goes on with what the file holds. One that cannot be understood is put
// aside, which limit says: it is no reason not to count from now on. Neither is a disk
// that is full, which can have room again.
func openKeeper(file string) (k *keeper, limit string, err error) {
	k = &keeper{file: file, say: func(error) {}}
	info, err := os.Stat(file)
	if _, ok := logfile.Descriptor(file); ok || err == nil && !info.Mode().IsRegular() { // which needs no lock beside it
		return nil, "", fmt.Errorf("cannot keep the state in %s: %w", file, logfile.ErrNotRegular)
	}
	if k.lock, err = lockFile(lockOf(file)); err != nil {
		return nil, "", fmt.Errorf("cannot keep the state in %s: %w", file, err)
	}
	sweep(file)
	if limit, err = k.load(); err == nil {
		k.err = k.write() // what cannot be written is told at once
	}
	if err == nil && !mayPass(k.err) {
		err = k.err
	}
	if err != nil {
		return nil, "", errors.Join(err, k.lock.Close())
	}
	return k, limit, nil
}

// mayPass reports whether an error of writing is one of the disk's state.
func mayPass(err error) bool {
	return errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) || errors.Is(err, syscall.EIO)
}

// load takes in what the file holds.
func (k *keeper) load() (limit string, err error) {
	k.built = report.New(report.Options{})
	state, err := readState(k.file)
	if err == nil && state != nil {
		err = k.built.Resume(state)
	}
	var path *fs.PathError
	switch {
	case err == nil:
		return "", nil
	case errors.As(err, &path), errors.Is(err, logfile.ErrLink), errors.Is(err, logfile.ErrOwner),
		errors.Is(err, logfile.ErrSpecial), errors.Is(err, logfile.ErrNotRegular), errors.Is(err, logfile.ErrMoved):
		return "", fmt.Errorf("cannot read the state: %w", err)
	}
	aside := k.file + ".unreadable"
	if failed := putAside(k.file, aside); failed != nil {
		return "", fmt.Errorf("cannot put the state aside that cannot be read: %w", failed)
	}
	k.built = report.New(report.Options{})
	return fmt.Sprintf("the state in %s cannot be read (%v): it is in %s now, and counting begins anew", k.file, err, aside), nil
}

// putAside gives a file another name in its directory.
func putAside(file, aside string) error {
	p, err := openPlace(file)
	if err != nil {
		return err
	}
	return errors.Join(p.directory.Rename(p.file, filepath.Base(aside)), p.Close())
}

// readState returns nil if there is no file yet.
func readState(file string) (*report.State, error) {
	f, err := logfile.GuardedRegular(file, os.O_RDONLY)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return report.ReadState(f)
}

// interval is how often to save, 0 for never.
func (k *keeper) interval() time.Duration {
	if k == nil {
		return 0
	}
	return stateInterval
}

// call takes in a call.
func (k *keeper) call(e *output.Entry) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.built.Call(e)
}

// lifecycle takes in how far the capture has come, and which of its calls entries will
// tell of that are not written yet.
func (k *keeper) lifecycle(l *output.Lifecycle, folding []output.Folded) {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.built.Lifecycle(l)
	k.built.Folding(l, folding)
}

// save saves. That it fails is told the first time in a row: it may succeed again.
func (k *keeper) save() {
	if k == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed { // it may be another process's by now
		return
	}
	before := k.err
	if k.err = k.write(); k.err != nil && before == nil {
		k.say(k.err)
	}
}

// atStall does something so long after a signal, should the program not have ended by then:
// a log whose disk has stalled keeps whoever waits for it from doing so. The returned
// function calls that off.
func atStall(signals context.Context, after time.Duration, do func()) (callOff func()) {
	done := make(chan struct{})
	off := context.AfterFunc(signals, func() {
		select {
		case <-done:
		case <-time.After(after):
			do()
		}
	})
	return func() {
		off()
		close(done)
	}
}

func (k *keeper) write() error {
	if err := writeAtomically(k.file, k.built.Snapshot().Write); err != nil {
		return fmt.Errorf("cannot save the state: %w", err)
	}
	return nil
}

// close returns why the state is not saved as it is now.
func (k *keeper) close() error {
	if k == nil {
		return nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.closed = true
	return errors.Join(k.err, k.lock.Close())
}
