package identity

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

const (
	// maxOutput of a tool is read. An answer is a line or, for a file with
	// several owners, a few; names of packages and paths are below 4 KiB.
	maxOutput = 64 << 10
	// maxTimeouts in a row, and a tool is not asked for askAgain: calls would wait
	// for nothing. Until then they have waited for 6 s.
	maxTimeouts = 3
	// askAgain is when a tool is asked again that took too long, and for a file that
	// it had no answer on: the host may have been busy. One that never answers has
	// calls wait for 2 s in 5 minutes, which is 0.7 %.
	askAgain = 5 * time.Minute
	// killWait is how long the rest of a tool that was killed may hold on to its
	// output, if something keeps it from ending.
	killWait = 100 * time.Millisecond
)

var (
	errTimeout  = errors.New("it took too long")
	errTooMuch  = errors.New("it wrote too much")
	errNotAsked = errors.New("it is not asked for now")
)

// toolEnvironment is all that a tool is given. Messages are in English, and
// there is no home directory to have settings in.
var toolEnvironment = []string{"LC_ALL=C", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/nonexistent"}

// tool is a program that answers questions. It is safe for concurrent use.
type tool struct {
	path     string
	mu       sync.Mutex // guards what follows
	timeouts int        // in a row
	timedOut time.Time  // the last time
	failed   uint64     // questions that it did not answer
	notAsked uint64     // questions that it was not asked
	last     error
}

// answer is what a tool wrote, and its exit status, which is up to the caller to judge.
type answer struct {
	out    string
	status int
	// complained is true if it wrote to standard error.
	complained bool
}

// run runs the tool.
func (t *tool) run(ctx context.Context, args ...string) (answer, error) {
	if t.isGivenUp() {
		return answer{}, errNotAsked
	}
	a, err := t.start(ctx, args)
	if ctx.Err() != nil {
		err = errTimeout
	}
	return a, err
}

// start runs the tool without a shell, and with nothing of ours but the kernel's
// limits. Standard input is /dev/null.
func (t *tool) start(ctx context.Context, args []string) (answer, error) {
	var out bounded
	var complaint heard
	cmd := exec.CommandContext(ctx, t.path, args...)
	cmd.Env, cmd.Dir, cmd.Stdout, cmd.Stderr, cmd.WaitDelay = toolEnvironment, "/", &out, &complaint, killWait
	setApart(cmd)
	err := cmd.Run()
	a := answer{out: out.String(), complained: bool(complaint)}
	var exit *exec.ExitError
	switch {
	case out.over:
		return answer{}, errTooMuch
	case errors.As(err, &exit) && exit.Exited():
		a.status = exit.ExitCode()
		return a, nil
	}
	return a, err
}

func (t *tool) isGivenUp() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.timeouts >= maxTimeouts && time.Since(t.timedOut) < askAgain
}

// note counts how the question on a file went, and reports whether the tool has had its
// say.
func (t *tool) note(err error) (answered bool) {
	t.count(err)
	return !errors.Is(err, errTimeout) && !errors.Is(err, errNotAsked)
}

func (t *tool) count(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case errors.Is(err, errNotAsked):
		t.notAsked++
		return
	case errors.Is(err, errTimeout):
		t.timeouts++
		t.timedOut = time.Now()
	default:
		t.timeouts = 0
	}
	if err != nil {
		t.failed++
		t.last = err
	}
}

func (t *tool) limits() []string {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.failed == 0 {
		return nil
	}
	text := fmt.Sprintf("%s failed for %d of the files (%v)", filepath.Base(t.path), t.failed, t.last)
	if t.notAsked > 0 {
		text += fmt.Sprintf(", and was not asked for %d others then", t.notAsked)
	}
	return []string{text + ": packages or versions are left out of the log."}
}

// bounded is a buffer with room for maxOutput.
type bounded struct {
	strings.Builder
	over bool
}

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxOutput {
		b.over = true
		return 0, errTooMuch
	}
	return b.Builder.Write(p)
}

// heard is true if anything was written to it.
type heard bool

func (h *heard) Write(p []byte) (int, error) {
	*h = true
	return len(p), nil
}
