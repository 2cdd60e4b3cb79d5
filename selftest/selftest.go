//go:build linux

// Package selftest proves on the machine at hand that the program sees what it
// claims to see: in private network namespaces it starts a stand-in metadata
// service, lets children call it while the program watches, and compares what
// was logged with what they did. The real metadata service is never contacted.
package selftest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
)

// ErrFailed: the program did not see what there was to see.
var ErrFailed = errors.New("selftest failed")

// ErrNoNetwork: the private network could not be made, so nothing was tested.
var ErrNoNetwork = errors.New("cannot make a private network")

// Inside runs the test in the calling process, whose network namespace is
// private. It reports each check on out, and returns ErrFailed if one failed.
func Inside(ctx context.Context, out io.Writer) error {
	// The children are told to end with their parent, which to the kernel is
	// the thread that started them (PR_SET_PDEATHSIG, prctl(2)).
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	service, err := startService(ctx)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrNoNetwork, err)
	}
	defer service.stop()
	verdicts, err := tryWays(ctx)
	if err != nil {
		return err
	}
	return report(out, verdicts, len(service.stop()))
}

// tryWays runs the program as in normal use, with all ways of finding processes
// that work here, and then with each alone that was second best.
func tryWays(ctx context.Context) ([]*verdict, error) {
	all, err := try(ctx, "")
	if err != nil {
		return nil, err
	}
	verdicts := []*verdict{all}
	for _, way := range all.ways[min(1, len(all.ways)):] {
		alone, err := try(ctx, way)
		if err != nil {
			return nil, fmt.Errorf("%s alone: %w", way, err)
		}
		verdicts = append(verdicts, alone)
	}
	return verdicts, nil
}

// try runs the program while children make their calls. It uses one way of
// finding processes, or all if none is named.
func try(ctx context.Context, way string) (*verdict, error) {
	program, err := startProgram(ctx, way)
	if err != nil {
		return nil, err
	}
	calls, err := makeCalls(ctx, way)
	if err != nil {
		return nil, errors.Join(err, program.stop())
	}
	program.await(len(calls.expected))
	if err := program.stop(); err != nil {
		return nil, err
	}
	return judge(way, program.ways, calls.expected, program.entries), nil
}
