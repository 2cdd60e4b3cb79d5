package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// spawners is how many programs of the attacker start processes at once, stormTime how long
// they may take: there are machines that start 800 a second.
const (
	spawners  = 4
	stormTime = 2 * time.Minute
)

// storm has n processes started, of a program that does nothing but end.
func storm(n int) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		directory, err := os.MkdirTemp("", "attacker-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(directory)
		if err := os.Chmod(directory, 0o755); err != nil {
			return err
		}
		program := filepath.Join(directory, "nothing")
		if err := writeProgram(program, nothing()); err != nil {
			return err
		}
		return together(spawners, func(int) error {
			cmd := asAttacker(ctx, roleSpawn, strconv.Itoa(n/spawners), program)
			out, err := cmd.Output()
			started, _ := strconv.ParseUint(strings.TrimSpace(string(out)), 10, 64)
			s.note("processes", started)
			return err
		})
	}
}

// spawn starts a program n times, one after the other, for as long as a storm may
// last, and writes how often it did.
func spawn(number, program string, out io.Writer) error {
	n, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), stormTime)
	defer cancel()
	runtime.GOMAXPROCS(1)
	started := 0
	err = pace(ctx, n, 0, func(int) error {
		if err := spawnOnce(program); err != nil {
			return err
		}
		started++
		return nil
	})
	fmt.Fprintln(out, started)
	return err
}

// spawnOnce uses what is below os/exec: vfork, and no more.
func spawnOnce(program string) error {
	pid, err := syscall.ForkExec(program, []string{program}, &syscall.ProcAttr{})
	if err != nil {
		return fmt.Errorf("start %s: %w", program, err)
	}
	var status syscall.WaitStatus
	for {
		_, err = syscall.Wait4(pid, &status, 0, nil)
		switch {
		case err == syscall.EINTR:
		case err == nil && status != 0:
			return fmt.Errorf("%s ended with %v", program, status)
		default:
			return err
		}
	}
}

// The machine code of exit(0), by the system call's number 60 or 93 (syscall(2)).
var (
	exitAMD64 = []byte{0x31, 0xff, 0xb8, 60, 0, 0, 0, 0x0f, 0x05}                              // xor edi, edi; mov eax, 60; syscall
	exitARM64 = []byte{0x00, 0x00, 0x80, 0xd2, 0xa8, 0x0b, 0x80, 0xd2, 0x01, 0x00, 0x00, 0xd4} // mov x0, 0; mov x8, 93; svc 0
)

// nothing is a static program of one segment, as small as it can be (elf(5)).
func nothing() []byte {
	const (
		base            = 0x400000
		header, segment = 64, 56 // sizes of Elf64_Ehdr and Elf64_Phdr
		executable      = 2
		load, readExec  = 1, 5
		amd64, arm64    = 62, 183
	)
	code, machine := exitAMD64, uint16(amd64)
	if runtime.GOARCH == "arm64" {
		code, machine = exitARM64, arm64
	}
	size := uint64(header + segment + len(code))
	var file bytes.Buffer
	file.WriteString("\x7fELF\x02\x01\x01")
	file.Write(make([]byte, 9))
	for _, field := range []any{
		uint16(executable), machine, uint32(1), uint64(base + header + segment), uint64(header), uint64(0),
		uint32(0), uint16(header), uint16(segment), uint16(1), uint16(0), uint16(0), uint16(0),
		uint32(load), uint32(readExec), uint64(0), uint64(base), uint64(base), size, size, uint64(0x10000),
	} {
		_ = binary.Write(&file, binary.LittleEndian, field) // into memory: it does not fail
	}
	file.Write(code)
	return file.Bytes()
}
