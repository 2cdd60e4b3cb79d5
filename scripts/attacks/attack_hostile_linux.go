package main

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// hostileCalls is how many calls each hostile caller makes.
const hostileCalls = 2

// hostileNames makes a caller's directory, program and arguments hostile.
func hostileNames(cmd *exec.Cmd, directory string, i int) error {
	name := fileName(hostile(i))
	in := filepath.Join(directory, name)
	if err := os.MkdirAll(in, 0o755); err != nil {
		return err
	}
	program := filepath.Join(in, name)
	if err := os.Link(filepath.Join(directory, "attacks"), program); os.IsNotExist(err) {
		if err := copyProgram(filepath.Join(directory, "attacks")); err != nil {
			return err
		}
		return hostileNames(cmd, directory, i)
	} else if err != nil && !os.IsExist(err) {
		return err
	}
	cmd.Path, cmd.Dir = program, in
	cmd.Args = []string{hostile(i), roleFlood, "hostile", strconv.Itoa(i), hostile(i), "--" + hostile(i+1)}
	return nil
}

// callHostile is such a caller. Its names are those of its process, too, and of all that
// stands in its requests.
func callHostile(number string) error {
	i, err := strconv.Atoi(number)
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	name := shortName(hostile(i))
	if err := os.WriteFile("/proc/self/comm", []byte(name), 0); err != nil { // of the first thread
		return err
	}
	comm, err := unix.BytePtrFromString(name)
	if err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NAME, uintptr(unsafe.Pointer(comm)), 0, 0, 0); err != nil {
		return err
	}
	value := headerValue(hostile(i))
	fields := fmt.Sprintf(" HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\n\r\n", value, value)
	if err := call("GET " + escapedTarget(i) + fields); err != nil {
		return err
	}
	return call("GET " + rawTarget(i) + fields)
}

// escapedTarget is a hostile target that is one, rawTarget has bytes that none can have.
func escapedTarget(i int) string {
	text := hostile(i)
	if strings.ContainsFunc(text, func(r rune) bool { return r <= ' ' || r == 0x7f }) || strings.Contains(text, "%") {
		text = url.PathEscape(text)
	}
	return "/flood/" + text
}

func rawTarget(i int) string {
	return "/flood/" + strings.ReplaceAll(headerValue(hostile(i)), " ", "\x1b") + "\x1b[2J"
}

// call makes a call that has to be answered.
func call(request string) error {
	conn, err := dial(&net.TCPAddr{IP: net.ParseIP("10.2.0.1")})
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := exchange(conn, bufio.NewReader(conn), request); err != nil {
		return fmt.Errorf("%q: %w", request, err)
	}
	return nil
}

// lookTime is what is left of an attack's time to look at what came out of it.
const lookTime = 20 * time.Second

// lookedAt makes an attack while the program shows it in all ways that it has, and looks
// at what came out.
func lookedAt(do func(context.Context, *stage) error) func(context.Context, *stage) error {
	return func(ctx context.Context, s *stage) error {
		w, err := s.startWatchers(ctx)
		if err != nil {
			return err
		}
		defer w.close()
		limited, cancel := context.WithTimeout(ctx, attackTime-lookTime)
		defer cancel()
		if err := do(limited, s); err != nil && limited.Err() == nil {
			return err
		}
		if err := w.stop(); err != nil {
			return err
		}
		for _, o := range outlets() {
			s.look(ctx, o, w)
		}
		return nil
	}
}

// look looks at what came out of an outlet.
func (s *stage) look(ctx context.Context, o outlet, w *watchers) {
	s.note("outlets", 1)
	if o.flag != "" && !has(w.help, o.flag) {
		s.note("outlets that it does not have", 1)
		return
	}
	text, err := o.show(ctx, w)
	if err != nil {
		s.faults = append(s.faults, fmt.Sprintf("%s: %v", o.name, err))
		return
	}
	faults := o.check(text)
	if o.names && !strings.Contains(text, mark) {
		faults = append(faults, "no hostile name comes out")
	}
	for _, fault := range faults {
		s.faults = append(s.faults, o.name+": "+fault)
	}
}
