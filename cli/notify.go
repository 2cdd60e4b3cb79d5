package cli

import (
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"

	"imds-analyzer/output"
)

// statusInterval is how often the status is told anew if there is no watchdog.
const statusInterval = time.Minute

// notifier tells the service manager that has started the program how it is
// (sd_notify(3)). To one that does not ask nothing is told, nor by nil.
type notifier struct {
	// every is how often the manager is told that the program is alive: twice in the
	// time after which it takes it for dead (sd_watchdog_enabled(3)).
	every  time.Duration
	status string // the latest that was told
}

// newNotifier returns nil unless a service manager asks. An error is about its
// watchdog, without which the manager is told all the same.
func newNotifier() (*notifier, error) {
	if os.Getenv("NOTIFY_SOCKET") == "" {
		return nil, nil
	}
	n := &notifier{every: statusInterval}
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

// tell tells of a change, in the words of sd_notify(3).
func (n *notifier) tell(changes ...string) error {
	if n == nil {
		return nil
	}
	if _, err := daemon.SdNotify(false, strings.Join(changes, "\n")); err != nil {
		return fmt.Errorf("the service manager cannot be told how the capture is: %w", err)
	}
	return nil
}

// tellStatus tells people, by way of the manager, in one line, if that has changed.
func (n *notifier) tellStatus(status string) error {
	if n == nil || status == n.status {
		return nil
	}
	n.status = status
	return n.tell("STATUS=" + output.Sanitize(status))
}

// openNotifier finds out who is to be told.
func (s *session) openNotifier() {
	if !s.options.live() {
		return
	}
	var err error
	if s.notifier, err = newNotifier(); err != nil {
		s.limits = append(s.limits, capitalized(err.Error())+".")
	}
}

// notify says the first time that it fails. It is called in the goroutine that owns
// the Analyzer.
func (s *session) notify(changes ...string) {
	if err := s.notifier.tell(changes...); err != nil && !s.notNotified {
		s.notNotified = true
		say(s.streams.Err, "%s", err)
	}
}

// notifyAlive is called by the loop that takes in packets, so that it is not told
// while that hangs. The status comes from behind it, with the calls so far.
func (s *session) notifyAlive() {
	s.notify(daemon.SdNotifyWatchdog)
	s.notifyStatus()
}

func (s *session) notifyStatus() {
	if s.notifier != nil {
		s.join.lifecycle(func() { _ = s.notifier.tellStatus(s.status()) }) // if that fails, so does the rest
	}
}

// status is what the capture does, and has found, in one line.
func (s *session) status() string {
	calls, v1 := s.log.found()
	return fmt.Sprintf("Capturing on %s: %d calls, %d of them IMDSv1", strings.Join(s.options.interfaces, ", "), calls, v1)
}
