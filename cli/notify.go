package cli

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"imds-analyzer/output"
)

// statusInterval is how often the status is told anew if there is no watchdog.
const statusInterval = time.Minute

// maxUntold words wait to be told. More are only there where a manager does not read what
// it is told; of each kind the latest would do.
const maxUntold = 8

// notifier tells the service manager that has started the program how it is
// (sd_notify(3)), in a goroutine of its own: a manager that is stuck, and reads nothing,
// must not hold up the capture. To one that does not ask nothing is told, nor by nil.
type notifier struct {
	// every is how often the manager is told that the program is alive: twice in the
	// time after which it takes it for dead (sd_watchdog_enabled(3)).
	every  time.Duration
	status string        // the latest that was told
	untold chan string   // in the words of sd_notify(3)
	ended  chan struct{} // closed when all is told
	failed func(error)   // is called once, for the first reason
}

// newNotifier returns nil unless a service manager asks. An error is about its
// watchdog, without which the manager is told all the same.
func newNotifier(failed func(error)) (*notifier, error) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil, nil
	}
	var once sync.Once
	n := &notifier{
		every: statusInterval, untold: make(chan string, maxUntold), ended: make(chan struct{}),
		failed: func(err error) { once.Do(func() { failed(err) }) },
	}
	go n.run()
	timeout, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		return n, fmt.Errorf("the service manager's watchdog: %w", err)
	}
	if timeout > 0 {
		n.every = timeout / 2
	}
	return n, nil
}

func (n *notifier) interval() time.Duration {
	if n == nil {
		return 0
	}
	return n.every
}

// run tells, until end.
func (n *notifier) run() {
	defer close(n.ended)
	for words := range n.untold {
		if _, err := daemon.SdNotify(false, words); err != nil {
			n.failed(fmt.Errorf("the service manager cannot be told how the capture is: %w", err))
		}
	}
}

// tell tells of a change, in the words of sd_notify(3), unless too much waits already. It
// waits for nothing.
func (n *notifier) tell(change string) (told bool) {
	if n == nil {
		return true
	}
	select {
	case n.untold <- change:
		return true
	default:
		n.failed(errNotRead)
		return false
	}
}

// errNotRead: the manager is stuck.
var errNotRead = errors.New("the service manager does not read how the capture is")

// tellStatus tells people, by way of the manager, in one line, if that has changed.
func (n *notifier) tellStatus(status string) {
	if n != nil && status != n.status && n.tell("STATUS="+output.Sanitize(status)) {
		n.status = status
	}
}

// end waits for what was told to arrive, but not for long. Nothing is told after it.
func (n *notifier) end() {
	if n == nil {
		return
	}
	close(n.untold)
	select {
	case <-n.ended:
	case <-time.After(lastWords):
	}
}

// openNotifier finds out who is to be told.
func (s *session) openNotifier() {
	if !s.options.live() {
		return
	}
	var err error
	failed := func(err error) { say(s.streams.Err, "%s", err) }
	if s.notifier, err = newNotifier(failed); err != nil {
		s.limits = append(s.limits, capitalized(err.Error())+".")
	}
}

// notifyAlive is called by the loop that takes in packets, so that it is not told
// while that hangs. The status comes from behind it, with the calls so far.
func (s *session) notifyAlive() {
	s.notifier.tell(daemon.SdNotifyWatchdog)
	s.notifyStatus()
}

func (s *session) notifyStatus() {
	if s.notifier != nil {
		s.join.lifecycle(func() { s.notifier.tellStatus(s.status()) })
	}
}

// status is what the capture does, and has found, in one line.
func (s *session) status() string {
	calls, v1 := s.log.found()
	return fmt.Sprintf("Capturing on %s: %d calls, %d of them IMDSv1", strings.Join(s.options.interfaces, ", "), calls, v1)
}
