// Command attacks runs the program under attack, each attack for less than a minute
// in a network namespace of its own, and holds what it says against what was done:
// all calls of an honest client have to be in the log, with their processes, in no
// more than the memory that is promised. See docs/security.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(Main(os.Args[1:], os.Stdin, os.Stdout, os.Stderr)) }

// Errors of a run.
var (
	errUsage  = errors.New("wrong usage")
	errFailed = errors.New("not all attacks were withstood")
)

// Main runs a command and returns its exit status: 1 if an attack was not withstood
// or something failed, 2 for wrong usage.
func Main(args []string, in io.Reader, out, complaints io.Writer) int {
	err := run(args, in, out, complaints)
	switch {
	case err == nil, errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		fmt.Fprintf(complaints, "attacks: %v\n", err)
		return 2
	}
	fmt.Fprintf(complaints, "attacks: %v\n", err)
	return 1
}

// The roles of children: this program starts itself.
const (
	roleInside  = "inside"  // one attack, in the network namespace: the program's path, the attack
	roleService = "service" // the stand-in service
	roleClient  = "client"  // an honest client: version, path, port
	roleFlood   = "flood"   // an attacker's calls: of which kind, how many, and what is to be seen of it
	roleSpawn   = "spawn"   // starts processes: how many, of which program
	roleSwapper = "swapper" // swaps files: in which directory, for links to which, and where one comes and goes
	roleSilent  = "silent"  // serves a file system that answers its user alone: the program that it has
	rolePretend = "pretend" // a caller that pretends to be another: its kind, and what goes with that
	roleStray   = "stray"   // a client in a network namespace of its own, whose calls lead nowhere
)

func run(args []string, in io.Reader, out, complaints io.Writer) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case len(args) == 3 && args[0] == roleInside:
		return inside(ctx, args[1], args[2], out)
	case len(args) == 1 && args[0] == roleService:
		return serve(in, out)
	case len(args) == 4 && args[0] == roleClient:
		return callOnce(args[1], args[2], args[3])
	case len(args) == 2 && args[0] == roleSilent:
		return serveSilent(args[1])
	case len(args) == 4 && args[0] == roleSwapper:
		return swap(args[1], args[2], args[3], in, out)
	case len(args) >= 3 && args[0] == roleFlood:
		return flood(args[1], args[2])
	case len(args) == 3 && args[0] == roleSpawn:
		return spawn(args[1], args[2], out)
	case slices.Contains(args[:max(0, len(args)-1)], rolePretend): // behind a script, if this is its interpreter
		return pretend(args[slices.Index(args, rolePretend)+1:])
	case len(args) == 1 && args[0] == roleStray:
		return stray()
	}
	return outside(ctx, args, out, complaints)
}

// outside runs the attacks that are named, or all, and prints a row for each.
func outside(ctx context.Context, args []string, out, complaints io.Writer) error {
	flags := flag.NewFlagSet("attacks", flag.ContinueOnError)
	flags.SetOutput(complaints)
	binary := flags.String("binary", "", "the program, `FILE`")
	document := flags.String("doc", "", "put the figures into the tables of this `FILE`, too")
	column := flags.String("column", "now", "with -doc: the `COLUMN` in which they stand")
	list := flags.Bool("list", false, "say what attacks there are")
	if err := flags.Parse(args); err != nil {
		return fmt.Errorf("%w: %w", errUsage, err)
	}
	chosen, err := choose(attacks(), flags.Args())
	if err != nil {
		return err
	}
	if *list {
		for _, a := range attacks() {
			fmt.Fprintf(out, "%-18s %s\n", a.name, a.about)
		}
		return nil
	}
	if *binary == "" {
		return fmt.Errorf("%w: -binary is missing", errUsage)
	}
	r := runner{binary: *binary, document: *document, column: *column, out: out, complaints: complaints, run: runInNewNetwork}
	return r.all(ctx, chosen)
}

// choose returns the attacks with these names; if there are none, all but those that take
// long.
func choose(all []attack, names []string) ([]attack, error) {
	if len(names) == 0 {
		return slices.DeleteFunc(all, func(a attack) bool { return a.lasts > 0 }), nil
	}
	var chosen []attack
	for _, name := range names {
		i := slices.IndexFunc(all, func(a attack) bool { return a.name == name })
		if i < 0 {
			return nil, fmt.Errorf("%w: there is no attack %q (-list names all)", errUsage, name)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// runner runs attacks, and tells how they went.
type runner struct {
	binary           string
	document, column string // where figures go; no document if it is empty
	out, complaints  io.Writer
	run              func(ctx context.Context, binary, name string, complaints io.Writer) (*verdict, error)
}

func (r runner) all(ctx context.Context, chosen []attack) error {
	fmt.Fprint(r.out, tableHead)
	failed := 0
	for _, a := range chosen {
		v, err := r.run(ctx, r.binary, a.name, r.complaints)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil { // the program has ended, or nothing could be seen: the others are made all the same
			v = &verdict{Failed: err.Error()}
		}
		err = r.tell(a.name, v)
		if err != nil && !errors.Is(err, errNoCell) {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		if err != nil { // the figures are on the console, and the other attacks are made all the same
			fmt.Fprintf(r.complaints, "attacks: %s: %v\n", r.document, err)
		}
		if err != nil || len(v.faults()) > 0 {
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%w: %d of %d failed, or have no place in the document", errFailed, failed, len(chosen))
	}
	return nil
}

// tell prints the attack's row and faults, and puts its figures into the document.
func (r runner) tell(name string, v *verdict) error {
	fmt.Fprintln(r.out, v.row(name))
	for _, fault := range v.faults() {
		fmt.Fprintf(r.complaints, "attacks: %s: %s\n", name, fault)
	}
	if r.document == "" {
		return nil
	}
	text, err := os.ReadFile(r.document)
	if err == nil {
		text, err = setCell(text, name, r.column, v.cell())
	}
	if err != nil {
		return err
	}
	return os.WriteFile(r.document, text, 0o644)
}

// attack is one way to do harm.
type attack struct {
	name, about string
	// everywhere has the program capture in other network namespaces, too, as it does by
	// default. Each takes 256 KiB, and how many there are is the machine's affair.
	everywhere bool
	// outputs makes ready where the program writes, and returns the arguments for that, in
	// the place of -o: its log is on standard output then. May be nil.
	outputs func(directory string) ([]string, error)
	// do attacks until it is done, in the network namespace of the program.
	do func(ctx context.Context, s *stage) error
	// mayLose: it is faster than a host's way to the service can ever be. The kernel may
	// have no room for all packets then, and has to say so, if honest calls are missing.
	mayLose bool
	// lasts is how long it may take, if that is longer than attackTime. One that does is
	// made only if it is named.
	lasts time.Duration
	// bound is how long it may take on a busy machine, if that is longer than attackTime.
	bound time.Duration
	// atLeast is what it must have done, by what it notes, to be an attack at all.
	atLeast map[string]uint64
	// leastHonest is the part of the honest calls due that must have been answered, if
	// that is not the usual one.
	leastHonest float64
	// check looks for what is wrong beside what is for all attacks; may be nil.
	check func(v *verdict, log []entry) []string
}

// attacks are all there are.
func attacks() []attack {
	return slices.Concat(networkAttacks(), processAttacks(), pathAttacks(), programAttacks(), pretenceAttacks(), impostorAttacks(), containerAttacks())
}

func named(name string) (attack, error) {
	for _, a := range attacks() {
		if a.name == name {
			return a, nil
		}
	}
	return attack{}, fmt.Errorf("%w: there is no attack %q", errUsage, strings.TrimSpace(name))
}
