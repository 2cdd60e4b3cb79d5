package confine

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"unsafe"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Restrict leaves the process, in all its threads, with the system calls of the job.
// Those of other architectures' numbers, as of 32-bit programs, are refused. It
// takes no_new_privs to be set, or CAP_SYS_ADMIN. It fails with ErrUnsupported.
func (j Job) Restrict() error {
	calls, err := arch.GetInfo("")
	if err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	filter, err := bpf.Assemble(j.program(calls))
	if err != nil {
		return fmt.Errorf("assemble the filter of system calls: %w", err)
	}
	// SPEC_ALLOW: before Linux 5.16 a filter has the processor guess less otherwise, and
	// makes the whole process slower (PR_SPEC_STORE_BYPASS, prctl(2)).
	err = install(filter, unix.SECCOMP_FILTER_FLAG_TSYNC|unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW)
	if errors.Is(err, unix.EINVAL) { // as before Linux 4.17, which does not know that
		err = install(filter, unix.SECCOMP_FILTER_FLAG_TSYNC)
	}
	if errors.Is(err, unix.ENOSYS) || errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("%w: %w", ErrUnsupported, err)
	}
	return err
}

// install installs a filter in all threads (seccomp(2)).
func install(filter []bpf.RawInstruction, flags uintptr) error {
	code := make([]unix.SockFilter, len(filter))
	for i, in := range filter {
		code[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	program := unix.SockFprog{Len: uint16(len(code)), Filter: &code[0]}
	thread, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(unsafe.Pointer(&program)))
	switch {
	case errno != 0:
		return fmt.Errorf("install the filter of system calls: %w", errno)
	case thread != 0:
		return fmt.Errorf("install the filter of system calls: thread %d has another one", thread)
	}
	return nil
}

// program is the filter for an architecture. The library's own assembler is not used: behind
// a rule with conditions it has lost the number of the call (v1.6.0), and it has no other
// error than EPERM.
func (j Job) program(calls *arch.Info) []bpf.Instruction {
	return choose([]bpf.Instruction{
		bpf.LoadAbsolute{Off: archOffset, Size: word},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(calls.ID), SkipTrue: 1},
		fail(unix.ENOSYS),
		loadNumber,
	}, j.runs(calls))
}

// run is the numbers from its first one to that of the next run. The same becomes of them.
type run struct {
	first uint32
	block []bpf.Instruction
}

// runs are those of all numbers, in their order. Numbers of another way to call (x32) have
// a bit that none of the calls has, and are in the last run with those that nobody knew yet.
func (j Job) runs(calls *arch.Info) (runs []run) {
	for number, block := range j.blocks(calls) {
		if last := len(runs) - 1; last < 0 || !slices.Equal(runs[last].block, block) {
			runs = append(runs, run{uint32(number), block})
		}
	}
	return runs
}

// someNumbers is above the numbers of all calls, and that of the last run with them.
const someNumbers = 1 << 9

// blocks decide on a number each, by the rules for it: what none decides is refused.
func (j Job) blocks(calls *arch.Info) [][]bpf.Instruction {
	blocks := slices.Repeat([][]bpf.Instruction{{fail(unix.ENOSYS)}}, someNumbers)
	for _, r := range slices.Backward(j.rules()) {
		end := j.end(r.verdict)
		for _, name := range r.calls {
			if number, ok := calls.SyscallNames[name]; ok {
				blocks[number] = r.block(end, blocks[number])
			}
		}
	}
	return blocks
}

// choose adds to a program that it finds the run of a number by halves. When the kernel is
// given a filter it tries it for every number there is, which took most of the time of that,
// and older kernels go through it at each call.
func choose(program []bpf.Instruction, runs []run) []bpf.Instruction {
	if len(runs) == 1 {
		return append(program, runs[0].block...)
	}
	half, at := len(runs)/2, len(program)
	program = choose(append(program, nil), runs[:half])
	lower := len(program) - at - 1
	program[at] = bpf.JumpIf{Cond: bpf.JumpGreaterOrEqual, Val: runs[half].first, SkipTrue: uint8(lower)}
	return choose(program, runs[half:])
}

// Where things are that a filter sees (struct seccomp_data, seccomp(2)), on processors
// with the lower half of a number first.
const (
	word           = 4
	archOffset     = 4
	argumentOffset = 16
	argumentSize   = 8
)

var loadNumber = bpf.LoadAbsolute{Off: 0, Size: word}

// block decides on a call. Where the rule's conditions are not met, others do.
func (r rule) block(end bpf.Instruction, others []bpf.Instruction) (block []bpf.Instruction) {
	if len(r.conditions) == 0 {
		return []bpf.Instruction{end}
	}
	for _, all := range r.conditions {
		block = append(block, all.block(end)...)
	}
	return append(block, others...)
}

// block ends the filter if all of the conditions hold.
func (all conditions) block(end bpf.Instruction) (block []bpf.Instruction) {
	const each = 3 // instructions
	for i, c := range all {
		left := each*(len(all)-i-1) + 1
		block = append(block,
			bpf.LoadAbsolute{Off: argumentOffset + argumentSize*c.argument, Size: word},
			bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: c.mask},
			bpf.JumpIf{Cond: bpf.JumpEqual, Val: c.value, SkipFalse: uint8(left)})
	}
	return append(block, end)
}

// end is the instruction for a verdict.
func (j Job) end(v verdict) bpf.Instruction {
	switch {
	case v == allowed:
		return bpf.RetConstant{Val: unix.SECCOMP_RET_ALLOW}
	case j.Programs:
		return fail(unix.EPERM)
	}
	return bpf.RetConstant{Val: unix.SECCOMP_RET_KILL_PROCESS}
}

func fail(with syscall.Errno) bpf.Instruction {
	return bpf.RetConstant{Val: unix.SECCOMP_RET_ERRNO | uint32(with)}
}
