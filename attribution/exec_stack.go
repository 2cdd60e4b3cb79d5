package attribution

import (
	"bytes"
	"encoding/binary"
)

// userStack is a part of a process's stack, from the stack pointer up, as
// PERF_SAMPLE_STACK_USER brings it (perf_event_open(2)).
type userStack struct {
	pointer uint64 // the address of the first byte
	word    int    // bytes of an address: 4 in a 32-bit program, else 8
	bytes   []byte
}

// args reads the arguments of a program that is about to start: at the stack
// pointer is their number, above it the addresses of their texts (System V ABI,
// AMD64 supplement, section 3.4.1 "Initial Stack and Register State"; the
// kernel's create_elf_tables, fs/binfmt_elf.c, does the same everywhere). It
// reports whether all were there, as far as they are kept: cut says that they
// are more than MaxArgsBytes.
//
// The program's environment stands above them and is not looked at.
func (s userStack) args() (args []string, cut, whole bool) {
	count, ok := s.wordAt(0)
	if !ok {
		return nil, false, false
	}
	for i, kept := uint64(0), 0; i < count && kept <= MaxArgsBytes; i++ {
		arg, ok := s.arg(int(i))
		if !ok {
			return args, false, false
		}
		args = append(args, arg)
		kept += len(arg) + 1
	}
	args, cut = bound(args, MaxArgsBytes)
	return args, cut, true
}

// arg reads one argument. Counting goes no further than there are bytes, as
// each argument takes some.
func (s userStack) arg(i int) (string, bool) {
	address, ok := s.wordAt((1 + i) * s.word)
	if !ok || address < s.pointer || address-s.pointer >= uint64(len(s.bytes)) {
		return "", false
	}
	text := s.bytes[address-s.pointer:]
	end := bytes.IndexByte(text, 0)
	if end < 0 {
		return "", false
	}
	return string(text[:end]), true
}

func (s userStack) wordAt(offset int) (uint64, bool) {
	if offset+s.word > len(s.bytes) {
		return 0, false
	}
	if s.word == 4 {
		return uint64(binary.NativeEndian.Uint32(s.bytes[offset:])), true
	}
	return binary.NativeEndian.Uint64(s.bytes[offset:]), true
}
