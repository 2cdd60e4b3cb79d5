package attribution

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"unsafe"

	"golang.org/x/sys/unix"
)

const (
	// maxEvent is the size of the largest event: an execve(2) of a file whose
	// name has PATH_MAX bytes, and what stands around it.
	maxEvent = 4096 + 256
	minRing  = 16 << 10
	// stackBytes are sampled of the stack of a program that starts: the gap that
	// Linux leaves there (8 KiB, see execStart), the tables below it (1.5 KiB
	// with 100 variables in the environment) and 2.5 KiB of arguments. Who has
	// more is looked at.
	stackBytes = 12 << 10
)

// ringBounds are the sizes of rings in bytes: of those of all processors
// together, which least can exceed, and of one.
//
// Each processor has a ring for events, and one for the stacks of programs that
// start, so that these take no room from those. Both together, with the page
// that each has besides, are within perf_event_mlock_kb, which allows 516 KiB a
// processor (Documentation/admin-guide/sysctl/kernel.rst): 392 KiB at most.
type ringBounds struct{ all, most, least int }

// eventRings of 192 processors have 16 KiB each, room for about 150 events
// while nobody reads, and those of up to 16 processors room for 2,000: a process that
// starts, calls and ends makes five, so that one processor's ring lasts for 300 ms of
// 1,000 such processes a second, with room to spare. They are
// as small as can be where pages have 4 KiB, to hold the largest event thrice.
func eventRings() ringBounds { return ringBounds{all: 4 << 20, most: 256 << 10, least: minRing} }

// stackRings of 192 processors have 32 KiB each, room for two stacks, and those
// of up to 64 processors room for ten.
func stackRings() ringBounds { return ringBounds{all: 8 << 20, most: 128 << 10, least: 32 << 10} }

// size is that of a processor's ring, a power of two and whole pages.
func (b ringBounds) size(processors, page int) int {
	size := max(b.least, page)
	for size < b.most && 2*size*processors <= b.all {
		size *= 2
	}
	return size
}

// perfRing is the ring of one processor, into which several events go.
type perfRing struct {
	fds    []int // the first is the one that is polled
	page   *unix.PerfEventMmapPage
	data   []byte
	all    []byte
	lasted uint64 // for how long it had been on when that was asked last, ns
}

// perfEvent is a tracepoint to be sampled.
type perfEvent struct {
	id     uint16
	filter string // as in Documentation/trace/events.rst, section 5; "" for all
	// wakes is true for events that a reader is to be woken for. Others wait
	// for one of these, or until the ring is half full.
	wakes bool
	// stack is true to have the stack sampled too.
	stack bool
}

func (e perfEvent) attr() *unix.PerfEventAttr {
	a := &unix.PerfEventAttr{
		Type:        unix.PERF_TYPE_TRACEPOINT,
		Config:      uint64(e.id),
		Size:        uint32(unsafe.Sizeof(unix.PerfEventAttr{})),
		Sample:      1,
		Read_format: unix.PERF_FORMAT_TOTAL_TIME_ENABLED,
		Sample_type: unix.PERF_SAMPLE_TID | unix.PERF_SAMPLE_TIME | unix.PERF_SAMPLE_CPU | unix.PERF_SAMPLE_RAW,
		Bits:        unix.PerfBitDisabled | unix.PerfBitUseClockID,
		Wakeup:      1,
		Clockid:     unix.CLOCK_MONOTONIC,
	}
	if !e.wakes {
		a.Bits |= unix.PerfBitWatermark
		a.Wakeup = minRing / 2
	}
	if e.stack {
		a.Sample_type |= unix.PERF_SAMPLE_REGS_USER | unix.PERF_SAMPLE_STACK_USER
		a.Sample_regs_user = stackPointer()
		a.Sample_stack_user = stackBytes
	}
	return a
}

// openRing opens the ring of a processor for the events. They are off still.
func openRing(cpu int, events []perfEvent, size int) (*perfRing, error) {
	r := &perfRing{}
	for _, e := range events {
		if err := r.add(cpu, e); err != nil {
			r.close()
			return nil, err
		}
		if r.all == nil {
			if err := r.mmap(size); err != nil {
				r.close()
				return nil, err
			}
		}
	}
	return r, nil
}

// add opens an event. All but the first go into the first one's ring.
func (r *perfRing) add(cpu int, e perfEvent) error {
	fd, err := unix.PerfEventOpen(e.attr(), -1, cpu, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return refused(fmt.Errorf("perf_event_open on processor %d: %w", cpu, err),
			"run as root outside of containers, or with CAP_PERFMON (before Linux 5.8 CAP_SYS_ADMIN), or set kernel.perf_event_paranoid to -1")
	}
	r.fds = append(r.fds, fd)
	if e.filter != "" {
		if err := setFilter(fd, e.filter); err != nil {
			return fmt.Errorf("set the filter %q: %w", e.filter, err)
		}
	}
	if len(r.fds) == 1 {
		return nil
	}
	if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_SET_OUTPUT, r.fds[0]); err != nil {
		return fmt.Errorf("redirect an event: %w", err)
	}
	return nil
}

func setFilter(fd int, filter string) error {
	text, err := unix.BytePtrFromString(filter)
	if err != nil {
		return err
	}
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.PERF_EVENT_IOC_SET_FILTER, uintptr(unsafe.Pointer(text)))
	if errno != 0 {
		return errno
	}
	return nil
}

func (r *perfRing) mmap(size int) error {
	page := os.Getpagesize()
	all, err := unix.Mmap(r.fds[0], 0, page+size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return refused(fmt.Errorf("map a ring of %d KiB: %w", size>>10, err),
			"run with CAP_IPC_LOCK, or raise kernel.perf_event_mlock_kb")
	}
	r.all = all
	r.page = (*unix.PerfEventMmapPage)(unsafe.Pointer(&all[0]))
	r.data = all[page:]
	return nil
}

func (r *perfRing) enable() error {
	for _, fd := range r.fds {
		if err := unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_ENABLE, 0); err != nil {
			return fmt.Errorf("enable an event: %w", err)
		}
	}
	return nil
}

// disable ends the events, as far as that goes: those of a processor that is off
// have ended.
func (r *perfRing) disable() {
	for _, fd := range r.fds {
		_ = unix.IoctlSetInt(fd, unix.PERF_EVENT_IOC_DISABLE, 0)
	}
}

// goesOn reports whether the first event has been on since that was asked last, a while ago.
// The time stands still once its processor has gone off.
func (r *perfRing) goesOn() bool {
	var told [16]byte // how many events there were, and for how long it has been on
	n, err := unix.Read(r.fds[0], told[:])
	before := r.lasted
	r.lasted = binary.NativeEndian.Uint64(told[8:])
	return err == nil && n == len(told) && r.lasted > before
}

// read appends what is new in the ring, and frees its place.
func (r *perfRing) read(into []byte) []byte {
	head := atomic.LoadUint64(&r.page.Data_head)
	tail := r.page.Data_tail // only we write it
	if head == tail {
		return into
	}
	into = unread(into, r.data, tail, head)
	atomic.StoreUint64(&r.page.Data_tail, head)
	return into
}

func (r *perfRing) close() error {
	var errs []error
	if r.all != nil {
		errs = append(errs, unix.Munmap(r.all))
	}
	for _, fd := range r.fds {
		errs = append(errs, unix.Close(fd))
	}
	return errors.Join(errs...)
}

// stackPointer is the register in the bits of sample_regs_user, 0 on machines
// whose kernels do not sample stacks (asm/perf_regs.h).
func stackPointer() uint64 {
	switch runtime.GOARCH {
	case "amd64":
		return 1 << 7
	case "arm64":
		return 1 << 31
	}
	return 0
}

// openRings opens a ring for each processor that is on.
func openRings(events []perfEvent, bounds ringBounds) ([]*perfRing, error) {
	online, err := readProcessors(onlineFile)
	if err != nil {
		return nil, err
	}
	cpus, err := parseCPUs(online.list)
	if err != nil {
		return nil, err
	}
	var rings []*perfRing
	for _, cpu := range cpus {
		r, err := openRing(cpu, events, bounds.size(len(cpus), os.Getpagesize()))
		if err != nil {
			return nil, errors.Join(err, closeRings(rings))
		}
		rings = append(rings, r)
	}
	return rings, nil
}

func closeRings(rings []*perfRing) error {
	var errs []error
	for _, r := range rings {
		errs = append(errs, r.close())
	}
	return errors.Join(errs...)
}
