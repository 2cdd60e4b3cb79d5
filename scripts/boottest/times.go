package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// errOrder: something began before what it must follow.
var errOrder = errors.New("the order is wrong")

// unitTimes are when a unit began to start and when it was started, since the
// machine was. Zero is never.
type unitTimes struct{ began, ready time.Duration }

// boot is what systemctl show told of a boot.
type boot struct {
	userspace time.Duration // when the service manager was started
	units     map[string]unitTimes
}

// The properties that systemctl show is asked for.
const (
	propertyID        = "Id"
	propertyBegan     = "InactiveExitTimestampMonotonic"
	propertyReady     = "ActiveEnterTimestampMonotonic"
	propertyUserspace = "UserspaceTimestampMonotonic"
)

func runTimes(_ context.Context, flags *flag.FlagSet, args []string, out io.Writer) error {
	name := flags.String("shown", "times", "the `file` that systemctl show has written")
	all := flags.Bool("all", false, "list the times of all units")
	first := flags.String("first", "", "the `unit` that must be ready before others begin")
	before := flags.String("before", "", "those `units`; one that has not begun is wrong, too")
	of := flags.String("of", "", "the `units` whose times are compared with another boot's")
	base := flags.String("base", "", "the `file` of that boot")
	limit := flags.Duration("limit", 0, "how much `later` the first of them may begin, and how long starts may take")
	starts := flags.String("starts", "", "the `file` with what the journal tells of the service's starts")
	unit := flags.String("unit", "imds-analyzer.service", "the `unit` of the service")
	if err := parse(flags, args); err != nil {
		return err
	}
	b, err := readTimesFile(*name)
	if err != nil {
		return err
	}
	if *all {
		b.print(out)
	}
	return errors.Join(b.inOrder(*first, listed(*before)), b.judgeStarts(out, *unit, *starts, *limit), b.compare(out, listed(*of), *base, *limit))
}

// compare tells when units began, and how much later than in the boot of the other
// file. That of the first one has a limit: it is what waits for the program, while
// what follows has delays of its own on a machine that others use, too.
func (b *boot) compare(out io.Writer, units []string, other string, limit time.Duration) error {
	base := b
	if other != "" {
		var err error
		if base, err = readTimesFile(other); err != nil {
			return err
		}
	}
	for i, unit := range units {
		began, delay := b.units[unit].began, b.delay(base, unit)
		if began == 0 {
			return fmt.Errorf("%w: %s has never begun", errOrder, unit)
		}
		fmt.Fprintf(out, "%-28s began at %s", unit, b.since(began))
		if base != b {
			fmt.Fprintf(out, ", %+.3f s", delay.Seconds())
		}
		fmt.Fprintln(out)
		if i == 0 && delay > limit {
			return fmt.Errorf("%w: %s was held up for %v, more than %v", errOrder, unit, delay, limit)
		}
	}
	return nil
}

// delay is how much later a unit began than in another boot.
func (b *boot) delay(base *boot, unit string) time.Duration {
	return (b.units[unit].began - b.userspace) - (base.units[unit].began - base.userspace)
}

func readTimesFile(name string) (*boot, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := readTimes(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return b, nil
}

// readTimes reads blocks of PROPERTY=VALUE, one a unit, with empty lines between.
func readTimes(r io.Reader) (*boot, error) {
	b := &boot{units: map[string]unitTimes{}}
	unit := ""
	for lines := bufio.NewScanner(r); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), "=")
		if name == "" || name == propertyID {
			unit = value
			continue
		}
		micros, err := strconv.ParseUint(value, 10, 63)
		if err != nil {
			return nil, fmt.Errorf("%s of %q: %w", name, unit, err)
		}
		t, at := b.units[unit], time.Duration(micros)*time.Microsecond
		switch name {
		case propertyUserspace:
			b.userspace = at
			continue
		case propertyBegan:
			t.began = at
		case propertyReady:
			t.ready = at
		}
		b.units[unit] = t
	}
	if b.userspace == 0 {
		return nil, errors.New("it does not tell when the boot began")
	}
	return b, nil
}

// print lists the units in the order in which they began, in seconds of the boot.
func (b *boot) print(out io.Writer) {
	names := make([]string, 0, len(b.units))
	for name := range b.units {
		names = append(names, name)
	}
	slices.SortFunc(names, func(a, c string) int {
		if d := b.units[a].began - b.units[c].began; d != 0 {
			return int(d)
		}
		return strings.Compare(a, c)
	})
	for _, name := range names {
		t := b.units[name]
		fmt.Fprintf(out, "%-36s began %s  ready %s\n", name, b.since(t.began), b.since(t.ready))
	}
}

func (b *boot) since(t time.Duration) string {
	if t == 0 {
		return "       -"
	}
	return fmt.Sprintf("%6.3f s", (t - b.userspace).Seconds())
}

// inOrder checks that a unit was ready before others began.
func (b *boot) inOrder(first string, others []string) error {
	if first == "" {
		return nil
	}
	ready := b.units[first].ready
	if ready == 0 {
		return fmt.Errorf("%w: %s was never ready", errOrder, first)
	}
	for _, other := range others {
		switch began := b.units[other].began; {
		case began == 0:
			return fmt.Errorf("%w: %s has never begun", errOrder, other)
		case began < ready:
			return fmt.Errorf("%w: %s began %v before %s was ready", errOrder, other, ready-began, first)
		}
	}
	return nil
}
