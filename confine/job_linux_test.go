package confine

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"github.com/elastic/go-seccomp-bpf/arch"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What becomes of a call, as a filter says it.
const (
	passes = unix.SECCOMP_RET_ALLOW
	lacks  = unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSYS)
	denied = unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)
	kills  = unix.SECCOMP_RET_KILL_PROCESS
)

// jobs are all there are.
func jobs() (list []Job) {
	for bits := range 16 {
		list = append(list, Job{Capture: bits&1 != 0, Networks: bits&2 != 0, Programs: bits&4 != 0, Users: bits&8 != 0})
	}
	return list
}

var architectures = []*arch.Info{arch.X86_64, arch.AARCH64}

// judge runs a job's filter for a call.
func judge(t *testing.T, j Job, calls *arch.Info, id uint32, number uint32, arguments ...uint64) uint32 {
	t.Helper()
	return ask(t, filter(t, j, calls), id, number, arguments...)
}

func filter(t *testing.T, j Job, calls *arch.Info) *bpf.VM {
	t.Helper()
	vm, err := bpf.NewVM(j.program(calls))
	if err != nil {
		t.Fatal(err)
	}
	return vm
}

func ask(t *testing.T, vm *bpf.VM, id uint32, number uint32, arguments ...uint64) uint32 {
	t.Helper()
	// The machine here reads words with the upper half first, and a filter in the kernel
	// as the processor does: the lower half of an argument comes first all the same.
	data := binary.BigEndian.AppendUint32(nil, number)
	data = binary.BigEndian.AppendUint32(data, id)
	data = append(data, make([]byte, 8)...) // where it was called
	for i := range 6 {
		var a uint64
		if i < len(arguments) {
			a = arguments[i]
		}
		data = binary.BigEndian.AppendUint32(data, uint32(a))
		data = binary.BigEndian.AppendUint32(data, uint32(a>>32))
	}
	verdict, err := vm.Run(data)
	if err != nil {
		t.Fatal(err)
	}
	return uint32(verdict)
}

func TestFilter(t *testing.T) {
	const far = 1 << 32 // a bit that the kernel does not look at
	capture, reader := Job{Capture: true}, Job{}
	networks, programs, users := Job{Capture: true, Networks: true}, Job{Capture: true, Programs: true}, Job{Programs: true, Users: true}
	for _, test := range []struct {
		job       Job
		call      string
		arguments []uint64
		want      uint32
	}{
		{capture, "read", nil, passes},
		{reader, "read", nil, passes},
		{capture, "clone3", nil, lacks},
		{programs, "clone3", nil, lacks},
		{capture, "mkdirat", nil, lacks},
		{programs, "mkdirat", nil, passes},

		{capture, "execve", nil, kills},
		{capture, "execveat", nil, kills},
		{reader, "execve", nil, kills},
		{programs, "execve", nil, passes},
		{capture, "clone", []uint64{unix.CLONE_VM | unix.CLONE_THREAD}, passes},
		{capture, "clone", []uint64{unix.CLONE_VM | unix.CLONE_VFORK | uint64(unix.SIGCHLD)}, lacks},
		{capture, "clone", []uint64{unix.CLONE_THREAD | unix.CLONE_NEWUSER}, lacks},
		{programs, "clone", []uint64{unix.CLONE_VM | unix.CLONE_VFORK | uint64(unix.SIGCHLD)}, passes},
		{programs, "clone", []uint64{unix.CLONE_NEWUSER | uint64(unix.SIGCHLD)}, lacks},
		{programs, "clone", []uint64{far | unix.CLONE_NEWNS}, lacks},

		{capture, "ptrace", nil, kills},
		{programs, "ptrace", nil, denied},
		{capture, "bpf", nil, kills},
		{capture, "mount", nil, kills},
		{capture, "process_vm_writev", nil, kills},
		{capture, "perf_event_open", nil, kills},
		{programs, "unshare", nil, denied},

		{capture, "setresuid", nil, lacks},
		{programs, "setresuid", nil, denied},
		{users, "setresuid", nil, passes},

		{capture, "socket", []uint64{unix.AF_PACKET}, passes},
		{capture, "socket", []uint64{far | unix.AF_NETLINK}, passes},
		{capture, "socket", []uint64{unix.AF_VSOCK}, lacks},
		{capture, "socket", []uint64{unix.AF_ALG}, lacks},
		{reader, "socket", []uint64{unix.AF_INET}, lacks},
		{reader, "connect", nil, lacks},

		{networks, "setns", []uint64{3, unix.CLONE_NEWNET}, passes},
		{networks, "setns", []uint64{3, 0}, lacks},
		{networks, "setns", []uint64{3, unix.CLONE_NEWNS}, lacks},
		{capture, "setns", []uint64{3, unix.CLONE_NEWNET}, lacks},

		{capture, "ioctl", []uint64{0, unix.TIOCGWINSZ}, passes},
		{capture, "ioctl", []uint64{0, unix.TIOCSTI}, kills},
		{capture, "ioctl", []uint64{0, far | unix.TIOCSTI}, kills},
		{programs, "ioctl", []uint64{0, unix.TIOCLINUX}, denied},

		{capture, "mmap", []uint64{0, 0, unix.PROT_READ | unix.PROT_WRITE}, passes},
		{capture, "mmap", []uint64{0, 0, unix.PROT_READ | unix.PROT_EXEC}, passes},
		{capture, "mmap", []uint64{0, 0, unix.PROT_WRITE | unix.PROT_EXEC}, lacks},
		{capture, "mprotect", []uint64{0, 0, unix.PROT_READ}, passes},
		{capture, "mprotect", []uint64{0, 0, unix.PROT_READ | unix.PROT_EXEC}, lacks},
		{programs, "mprotect", []uint64{0, 0, unix.PROT_READ | unix.PROT_EXEC}, passes},

		// A value of an argument is not taken for a call's number.
		{capture, "clone", []uint64{0}, lacks},
		{networks, "setns", []uint64{0, uint64(arch.X86_64.SyscallNames["openat"])}, lacks},
	} {
		for _, calls := range architectures {
			number, ok := calls.SyscallNames[test.call]
			if !ok {
				t.Fatalf("%s has no %s", calls.Name, test.call)
			}
			if got := judge(t, test.job, calls, uint32(calls.ID), uint32(number), test.arguments...); got != test.want {
				t.Errorf("%s: %+v: %s%#x is %#x, not %#x", calls.Name, test.job, test.call, test.arguments, got, test.want)
			}
		}
	}
}

// Numbers mean other calls to 32-bit programs and to those of another processor, and those
// that nobody knew when the list was made are refused.
func TestFilterOfOthers(t *testing.T) {
	const x32 = 0x40000000
	for _, test := range []struct{ id, number uint32 }{
		{uint32(arch.I386.ID), 3}, {uint32(arch.ARM.ID), 3}, {uint32(arch.X86_64.ID), x32}, {uint32(arch.X86_64.ID), 5000},
	} {
		if got := judge(t, Job{Capture: true, Programs: true}, arch.X86_64, test.id, test.number); got != lacks {
			t.Errorf("%+v is %#x", test, got)
		}
	}
}

// Each name is that of a call, stands in one list only, and the kernel takes the filter.
func TestCalls(t *testing.T) {
	for _, job := range jobs() {
		seen := make(map[string]int)
		for i, r := range job.rules() {
			for _, name := range r.calls {
				_, x86 := arch.X86_64.SyscallNames[name]
				_, arm := arch.AARCH64.SyscallNames[name]
				if !x86 && !arm {
					t.Errorf("there is no call %s", name)
				}
				if before, ok := seen[name]; ok && (before == i || len(job.rules()[before].conditions) == 0) {
					t.Errorf("%+v: %s is decided on twice", job, name)
				}
				seen[name] = i
			}
		}
		for _, calls := range architectures {
			if length := len(job.program(calls)); length > maxInstructions {
				t.Errorf("the filter of %+v has %d instructions", job, length)
			}
			if _, err := bpf.Assemble(job.program(calls)); err != nil {
				t.Error(err)
			}
		}
	}
}

// maxInstructions is BPF_MAXINSNS (bpf_common.h).
const maxInstructions = 4096

// The filter of each job decides on each number as its rules do.
func TestFilterKeepsRules(t *testing.T) {
	for _, job := range jobs() {
		for _, calls := range architectures {
			vm := filter(t, job, calls)
			for number := range uint32(someNumbers + 1) {
				for _, value := range []uint32{0, 1, 2, 4, 6, 16, 17, 0x5412, 0x541c, 0x10000, 0x02010000, 0x40000000, 1<<32 - 1} {
					want, v := byRules(job, calls.SyscallNumbers[int(number)], value), uint64(value)
					if got := ask(t, vm, uint32(calls.ID), number, v, v, v, v, v, v); got != want {
						t.Fatalf("%s: %+v: call %d with %#x is %#x, not %#x", calls.Name, job, number, value, got, want)
					}
				}
			}
		}
	}
}

// byRules is what becomes of a call all arguments of which have one value.
func byRules(j Job, call string, value uint32) uint32 {
	met := func(c condition) bool { return value&c.mask == c.value }
	for _, r := range j.rules() {
		holds := func(all conditions) bool { return !slices.ContainsFunc(all, func(c condition) bool { return !met(c) }) }
		if slices.Contains(r.calls, call) && (len(r.conditions) == 0 || slices.ContainsFunc(r.conditions, holds)) {
			return j.end(r.verdict).(bpf.RetConstant).Val
		}
	}
	return lacks
}

// No job has a call that is for none.
func TestNeverIsNever(t *testing.T) {
	for _, job := range jobs() {
		for _, name := range never {
			for _, calls := range architectures {
				number, ok := calls.SyscallNames[name]
				if got := judge(t, job, calls, uint32(calls.ID), uint32(number)); ok && !slices.Contains([]uint32{denied, kills}, got) {
					t.Errorf("%+v: %s is %s", job, name, fmt.Sprintf("%#x", got))
				}
			}
		}
	}
}
