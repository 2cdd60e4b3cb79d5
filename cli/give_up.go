package cli

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"imds-analyzer/confine"
)

// errNoRoom: what is to be read cannot all be open at once.
var errNoRoom = errors.New("not so many files can be open at once (ulimit -n)")

// reader is what reads files, and what that still takes when it has begun.
type reader struct {
	names []string // what it reads
	// to is the user that root's process becomes; nil to stay root.
	to *account
	// keep are the capabilities that it cannot do without where it stays the one it is;
	// who else it becomes has none.
	keep []string
	job  confine.Job
	// open opens outputs, if it is to be done while there are the rights to.
	open func() error
}

// giveUp opens what is to be read and written, and then leaves the process, if it is the
// program's own, with no other rights than that takes: what it reads may be written to
// take it over. It returns where the inputs are, and what could not be given up. Without
// rights to give up, inputs are opened when they are read.
func (r reader) giveUp(own, allCalls bool) (from origin, limits []string, err error) {
	from = fileSystem{}
	if !own {
		return from, nil, nil
	}
	var stays error
	if hasRights() {
		if from, err = hold(r.names); errors.Is(err, errNoRoom) {
			stays, from, err = err, fileSystem{}, nil
			r.job.Users = r.job.Programs && r.to != nil // is not theirs, who runs them
			r.to, r.keep = nil, append(slices.Clone(r.keep), readCapability())
		}
		if err != nil {
			return nil, nil, err
		}
	}
	if err := r.open(); err != nil {
		return nil, nil, err
	}
	return from, r.confine(allCalls, stays), nil
}

// overrideCapability is what it takes to write where only others may. It reads, too.
const overrideCapability = "CAP_DAC_OVERRIDE"

// readCapability is what it takes to read the files of others: of those that there are
// the lesser, as containers often have the greater alone.
func readCapability() string {
	const read = "CAP_DAC_READ_SEARCH"
	if !slices.Contains(capabilities(), read) {
		return overrideCapability
	}
	return read
}

// confine gives up what there is, and says what it could not. Why the process stays its
// user's may be known before.
func (r reader) confine(allCalls bool, stays error) (limits []string) {
	told := func(what string, err error) {
		if err != nil {
			limits = append(limits, fmt.Sprintf("%s: %v.", what, err))
		}
	}
	could, err := become(r.to, r.keep)
	told("More rights are kept than reading takes", err)
	if err == nil {
		told(fmt.Sprintf("The process stays uid %d, %s", os.Geteuid(), withCapabilities()), cmp.Or(stays, could))
	}
	// Becoming another sets that to what the system has for it (fs.suid_dumpable, prctl(2)).
	told("A crash can write memory to a file", confine.NoDumps())
	if !allCalls {
		told("All system calls stay allowed", r.job.Restrict())
	}
	return limits
}

// withCapabilities says which there are.
func withCapabilities() string {
	if have := capabilities(); len(have) > 0 {
		return "with " + strings.Join(have, ", ")
	}
	return "without capabilities"
}
