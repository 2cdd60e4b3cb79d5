package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"imds-analyzer/imds"
	"imds-analyzer/output"
)

const (
	// enrichTime is how long a command has for a call, unless told otherwise.
	enrichTime = 2 * time.Second
	// enrichAtOnce is how many commands run at the same time. More would take the
	// processors from the capture.
	enrichAtOnce = 4
	// maxEnrichWaiting bounds the calls that wait for a command: about 1 MiB. If
	// none of those ends by itself, the last call is written after
	// (256 + 4) / 4 × (enrichTime + enrichPipeTime) = 260 s.
	maxEnrichWaiting = 256
	// enrichGrace is how long commands are still run after a signal. The rest of
	// stopWithin is for writing what is left.
	enrichGrace = stopWithin / 2
	// maxEnrichOutput is what a command may write: more than maxLabels of the
	// greatest length take, 36 KiB.
	maxEnrichOutput = 64 << 10
	// maxEnrichComplaint is what is kept of a command's complaint.
	maxEnrichComplaint = 256
	// enrichPipeTime is how long output is waited for after a command's end, if
	// something that it has left behind could still write. On a machine where far
	// more is to be done than can be, 0.5 s was too little to read what was there.
	enrichPipeTime = 2 * time.Second
)

// Why a call has no labels; every other error is a command that failed.
var (
	errTookLong   = errors.New("it took too long")
	errTooMany    = fmt.Errorf("more than %d calls were waiting for it", maxEnrichWaiting)
	errEndedFirst = errors.New("the program was ended first")
	errOwnCall    = errors.New("it calls the metadata service itself, and is not run for those calls")
)

var errTooLarge = fmt.Errorf("its output is larger than %d KiB", maxEnrichOutput>>10)

// reasonOf is the error in the words of the summary.
func reasonOf(err error) output.NotEnriched {
	switch {
	case errors.Is(err, errTookLong):
		return output.TookTooLong
	case errors.Is(err, errTooMany):
		return output.TooMany
	case errors.Is(err, errEndedFirst):
		return output.EndedFirst
	case errors.Is(err, errOwnCall):
		return output.CommandsOwn
	}
	return output.CommandFailed
}

// command is one of the user's, which says more of a call.
type command struct {
	path    string // absolute
	args    []string
	timeout time.Duration
	user    *account // nil: the program's own
}

// account is a user, and what a process of that user may do.
type account struct {
	name     string
	uid, gid uint32
	groups   []uint32
}

// findCommand finds the program of a command, whose words blanks set apart.
func findCommand(line string, timeout time.Duration) (*command, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return nil, errors.New("--enrich needs a command")
	}
	path, err := exec.LookPath(words[0])
	if err == nil {
		path, err = filepath.Abs(path)
	}
	if err != nil {
		return nil, fmt.Errorf("--enrich cannot run %q: %w", imds.Redact(words[0]), bare(err))
	}
	return &command{path: path, args: words[1:], timeout: timeout}, nil
}

// bare leaves out of an error which file and which call it is about.
func bare(err error) error {
	var look *exec.Error
	if errors.As(err, &look) {
		err = look.Err
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return err
}

// environment is all that a command finds there.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C"}
}

// ask gives the command an entry's line, and returns the labels that it answers
// with. It ends the command when its time is over or ctx ends.
func (c *command) ask(ctx context.Context, line []byte) (map[string]string, error) {
	timed, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	out, complaint := limited{max: maxEnrichOutput, strict: true}, limited{max: maxEnrichComplaint}
	cmd := exec.Command(c.path, c.args...)
	cmd.Dir, cmd.Env, cmd.SysProcAttr = "/", environment(), c.attributes()
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(line), &out, &complaint
	cmd.WaitDelay = enrichPipeTime
	if err := c.start(cmd); err != nil {
		return nil, err
	}
	err := wait(timed, cmd)
	switch {
	case out.full:
		return nil, errTooLarge
	case errors.Is(err, exec.ErrWaitDelay):
		return nil, fmt.Errorf("%w: it has left behind a process that holds its output", errTookLong)
	case err != nil && ctx.Err() != nil:
		return nil, errEndedFirst
	case err != nil && timed.Err() != nil:
		return nil, fmt.Errorf("%w: more than %v", errTookLong, c.timeout)
	case err != nil:
		return nil, complain(err, complaint.kept)
	}
	return parseLabels(out.kept)
}

// start starts the command, and keeps the program's open files from it.
func (c *command) start(cmd *exec.Cmd) error {
	if err := hideFiles(); err != nil {
		return fmt.Errorf("cannot keep open files from it: %w", err)
	}
	err := cmd.Start()
	if errors.Is(err, fs.ErrPermission) && c.user != nil {
		return fmt.Errorf("%s may not run it: %w (or not enter its folder)", c.user.name, bare(err))
	}
	if err != nil {
		return fmt.Errorf("it cannot be run: %w", bare(err))
	}
	return nil
}

// complain adds to an error the first line that the command wrote of it.
func complain(err error, said []byte) error {
	line, _, _ := bytes.Cut(said, []byte("\n"))
	if text := strings.TrimSpace(string(line)); text != "" {
		return fmt.Errorf("%w: %s", err, imds.Redact(text))
	}
	return err
}

// limited keeps the beginning of what is written to it.
type limited struct {
	max    int
	strict bool // what is more is an error, else it is passed over
	kept   []byte
	full   bool // there was more
}

func (l *limited) Write(p []byte) (int, error) {
	room := min(len(p), l.max-len(l.kept))
	l.kept = append(l.kept, p[:room]...)
	l.full = l.full || room < len(p)
	if l.full && l.strict {
		return room, errTooLarge
	}
	return len(p), nil
}

// enricher stands between the calls and the log: it holds entries until the
// command has answered. A nil one has no command.
type enricher struct {
	command *command
	// patient: add waits for room. That is for files, which can wait to be read; a
	// capture cannot.
	patient bool
	self    int // the program's pid, as entries have it; 0 if it is in none
	queue   chan output.Entry
	workers sync.WaitGroup
	ctx     context.Context // ends when no command is to be run any more
	giveUp  context.CancelFunc
	said    sync.Once
	// say tells people of the first failure.
	say func(error)
	// done takes every entry back, with the reason if it has no labels. It is
	// called in any goroutine.
	done func(*output.Entry, error)
}

// newEnricher returns the one for the command. Soon after ctx it gives up.
func newEnricher(ctx context.Context, c *command, patient bool) *enricher {
	n := &enricher{command: c, patient: patient, queue: make(chan output.Entry, maxEnrichWaiting)}
	if !patient {
		n.self = ownPID("/proc/self")
	}
	n.ctx, n.giveUp = context.WithCancel(context.WithoutCancel(ctx))
	context.AfterFunc(ctx, func() { time.AfterFunc(enrichGrace, n.giveUp) })
	return n
}

// start makes it ready for entries.
func (n *enricher) start() {
	for range enrichAtOnce {
		n.workers.Go(n.work)
	}
}

// finish waits until all entries that were added are done.
func (n *enricher) finish() {
	close(n.queue)
	n.workers.Wait()
}

// add takes in an entry.
func (n *enricher) add(e output.Entry) {
	switch {
	case n.isOwn(&e):
		n.finished(&e, errOwnCall)
	case n.patient:
		n.queue <- e
	default:
		n.offer(e)
	}
}

// offer takes in an entry if there is room.
func (n *enricher) offer(e output.Entry) {
	select {
	case n.queue <- e:
	default:
		n.finished(&e, errTooMany)
	}
}

// work runs the command for one entry after the other. It keeps its thread,
// because the kernel ends a command with the thread that started it.
func (n *enricher) work() {
	runtime.LockOSThread()
	for e := range n.queue {
		err := errEndedFirst
		if n.ctx.Err() == nil {
			e.Labels, err = n.command.ask(n.ctx, e.AppendLine(nil))
		}
		n.finished(&e, err)
	}
}

func (n *enricher) finished(e *output.Entry, err error) {
	if err != nil && !errors.Is(err, errEndedFirst) {
		n.said.Do(func() { n.say(err) })
	}
	n.done(e, err)
}

// ownPID is the program's pid by the numbers of a /proc, which all that is told of processes has:
// where that is another pid namespace's, as the host's in a container, the kernel tells another.
func ownPID(link string) int {
	if name, err := os.Readlink(link); err == nil {
		if pid, err := strconv.Atoi(name); err == nil {
			return pid
		}
	}
	return os.Getpid()
}

// isOwn reports whether a command of ours made the call. To run it again for
// that would never end. What a file tells of ran elsewhere, or earlier: a pid that is
// ours is another's there.
func (n *enricher) isOwn(e *output.Entry) bool {
	return n.self != 0 && (e.Process.Parent.PID == n.self ||
		slices.ContainsFunc(e.IMDS.Ancestors, func(r output.Relative) bool { return r.PID == n.self }))
}
