package cli

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
	"kernel.org/pub/linux/libs/security/libcap/cap"
)

// dropPrivileges leaves the process, in all its threads and for good, with those
// of the capabilities that it has. What it started with has been used by now,
// and the packets and the names of processes that it goes on to read are
// written by others.
func dropPrivileges(keep []string) error {
	if err := seesItsThreads(); err != nil {
		return err
	}
	set, err := held(keep)
	if err != nil {
		return err
	}
	return errors.Join(forbidNew(), dropRest(set))
}

// seesItsThreads makes sure that /proc/PID/task lists our threads: by that the
// library finds them, and it kills the process where there is nothing.
func seesItsThreads() error {
	self, err := os.Readlink("/proc/self")
	if err == nil && self != strconv.Itoa(os.Getpid()) {
		err = errors.New("/proc is that of another pid namespace")
	}
	return err
}

// capabilities are the names of those in effect, in the words of
// capabilities(7).
func capabilities() (names []string) {
	have := cap.GetProc()
	for value := range cap.MaxBits() {
		if on, err := have.GetFlag(cap.Effective, value); err == nil && on {
			names = append(names, strings.ToUpper(value.String()))
		}
	}
	return names
}

// held is the set of those of the capabilities that are in effect.
func held(names []string) (*cap.Set, error) {
	set := cap.NewSet()
	for _, name := range capabilities() {
		if !slices.Contains(names, name) {
			continue
		}
		value, err := cap.FromName(strings.ToLower(name))
		if err == nil {
			err = errors.Join(set.SetFlag(cap.Permitted, true, value), set.SetFlag(cap.Effective, true, value))
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return set, nil
}

// forbidNew has no program that the process starts gain anything
// (PR_SET_NO_NEW_PRIVS, prctl(2)). It starts none but the command of --enrich.
func forbidNew() error {
	if _, err := cap.Prctlw(unix.PR_SET_NO_NEW_PRIVS, 1); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	return nil
}

// dropRest leaves those to keep and nothing to be inherited. Without
// CAP_SETPCAP the bounding set stays as it is.
func dropRest(keep *cap.Set) error {
	inherited := cap.NewIAB()
	if may, err := cap.GetProc().GetFlag(cap.Permitted, cap.SETPCAP); err == nil && may {
		if err := inherited.Fill(cap.Bound, keep, cap.Permitted); err != nil {
			return fmt.Errorf("choose the bounding set: %w", err)
		}
	}
	if err := inherited.SetProc(); err != nil {
		return fmt.Errorf("set what is inherited: %w", err)
	}
	if err := keep.SetProc(); err != nil {
		return fmt.Errorf("set the capabilities: %w", err)
	}
	return nil
}
