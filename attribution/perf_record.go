package attribution

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The records in the ring of perf_event_open(2), from linux/perf_event.h.
// Numbers are in the machine's byte order.
const (
	perfRecordLost   = 2
	perfRecordSample = 9

	perfHeaderLen = 8 // type, misc, size
	perfLostLen   = 16
	// perfSampleLen is that of a sample with PERF_SAMPLE_TID, TIME, CPU and
	// RAW before its raw data: pid and tid, time, cpu and reserved, size.
	perfSampleLen = 8 + 8 + 8 + 4
)

var errPerfRecord = errors.New("not a record of perf_event_open(2)")

// perfSample is an event as it was sampled.
type perfSample struct {
	pid, tid int   // the process (thread group) and thread in which it happened
	at       int64 // ns on the clock that was asked for
	raw      []byte
}

// nextRecord cuts the first record off.
func nextRecord(b []byte) (kind uint32, body, rest []byte, err error) {
	if len(b) < perfHeaderLen {
		return 0, nil, nil, fmt.Errorf("%w: %d bytes", errPerfRecord, len(b))
	}
	size := int(binary.NativeEndian.Uint16(b[6:]))
	if size < perfHeaderLen || size > len(b) {
		return 0, nil, nil, fmt.Errorf("%w: size %d of %d bytes", errPerfRecord, size, len(b))
	}
	return binary.NativeEndian.Uint32(b), b[perfHeaderLen:size], b[size:], nil
}

func parsePerfSample(body []byte) (perfSample, error) {
	if len(body) < perfSampleLen {
		return perfSample{}, fmt.Errorf("%w: a sample of %d bytes", errPerfRecord, len(body))
	}
	size := binary.NativeEndian.Uint32(body[perfSampleLen-4:])
	raw := body[perfSampleLen:]
	if uint64(size) > uint64(len(raw)) {
		return perfSample{}, fmt.Errorf("%w: %d bytes of raw data in %d", errPerfRecord, size, len(raw))
	}
	return perfSample{
		pid: int(int32(binary.NativeEndian.Uint32(body))),
		tid: int(int32(binary.NativeEndian.Uint32(body[4:]))),
		at:  int64(binary.NativeEndian.Uint64(body[8:])),
		raw: raw[:size],
	}, nil
}

// The sizes of addresses, which a sample with PERF_SAMPLE_REGS_USER tells
// (enum perf_sample_regs_abi).
const (
	perfABI32 = 1
	perfABI64 = 2
)

// parseStackSample reads a sample that has after its raw data the stack
// pointer, as the one register of PERF_SAMPLE_REGS_USER, and the stack above it
// (PERF_SAMPLE_STACK_USER). A process without user space has neither.
func parseStackSample(body []byte) (perfSample, userStack, error) {
	s, err := parsePerfSample(body)
	if err != nil {
		return s, userStack{}, err
	}
	var abi, pointer, size uint64
	rest := body[perfSampleLen+len(s.raw):]
	for _, word := range []*uint64{&abi, &pointer, &size} {
		if len(rest) < 8 {
			return s, userStack{}, fmt.Errorf("%w: a stack of %d bytes", errPerfRecord, len(rest))
		}
		*word, rest = binary.NativeEndian.Uint64(rest), rest[8:]
	}
	word := wordSize(abi)
	if word == 0 || size > uint64(len(rest)) || uint64(len(rest))-size < 8 {
		return s, userStack{}, fmt.Errorf("%w: a stack of %d in %d bytes, registers of kind %d", errPerfRecord, size, len(rest), abi)
	}
	filled := binary.NativeEndian.Uint64(rest[size:]) // it ends with how much of it was copied
	return s, userStack{pointer, word, rest[:min(size, filled)]}, nil
}

func wordSize(abi uint64) int {
	switch abi {
	case perfABI32:
		return 4
	case perfABI64:
		return 8
	}
	return 0 // no registers (PERF_SAMPLE_REGS_ABI_NONE)
}

// parsePerfLost returns how many records were lost.
func parsePerfLost(body []byte) (uint64, error) {
	if len(body) < perfLostLen {
		return 0, fmt.Errorf("%w: a loss of %d bytes", errPerfRecord, len(body))
	}
	return binary.NativeEndian.Uint64(body[8:]), nil
}

// unread appends what stands between tail and head in a ring. The two count
// on; the ring holds the last len(data) bytes.
func unread(into, data []byte, tail, head uint64) []byte {
	size := uint64(len(data))
	if size == 0 || head-tail > size {
		return into // the kernel keeps head within the ring
	}
	from := tail % size
	first := min(head-tail, size-from)
	into = append(into, data[from:from+first]...)
	return append(into, data[:head-tail-first]...)
}
