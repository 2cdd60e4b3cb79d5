package main

import (
	"fmt"
	"iter"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// judge holds what was told against what is so. That something is not known is no fault.
func (p pretence) judge(s *stage, o onlooker, calls []made, directory string) (faults []string) {
	lines, err := o.await(calls)
	if err != nil {
		return []string{fmt.Sprintf("%s: %v", o.way, err)}
	}
	byPath := make(map[string][]toldCall)
	for _, line := range lines {
		byPath[line.URL.Original] = append(byPath[line.URL.Original], line)
	}
	for _, m := range calls {
		of := byPath[m.path]
		if len(of) != 1 {
			faults = append(faults, fmt.Sprintf("%s: %d lines of %s", o.way, len(of), m.path))
			continue
		}
		if wrong := p.wrong(of[0], m, directory); wrong != "" {
			faults = append(faults, fmt.Sprintf("%s: %s by pid %d: %s (%+v)", o.way, m.path, m.pid, wrong, of[0].Process))
		}
		if of[0].Process.PID != 0 {
			s.note(o.way+" knows", 1)
		}
	}
	if p.then != nil {
		faults = append(faults, p.then(s, o.log, lines)...)
	}
	return faults[:min(len(faults), maxMissing)]
}

// wrong says what is not so in a line.
func (p pretence) wrong(t toldCall, m made, directory string) string {
	switch {
	case t.Process.PID == 0:
		return ""
	case t.Process.PID != m.pid && !(p.family && slices.Contains(strings.Fields(m.children), strconv.Itoa(t.Process.PID))):
		return "it is another process"
	case t.User.ID != "" && t.User.ID != strconv.Itoa(attackerUser):
		return "it is another user, " + t.User.ID
	case t.Process.Executable != "" && t.Process.Executable != m.executable && (p.may == nil || !p.may(directory, t.Process.Executable)):
		return "it has another executable"
	case p.names != nil && t.Process.Name != "" && t.Process.Name != filepath.Base(m.executable) && !slices.Contains(p.names, t.Process.Name):
		return "it has another name"
	case p.args != nil && t.Process.Args != nil && !slices.Equal(t.Process.Args, m.args) && !p.args(t.Process.Args, m):
		return "it has other arguments"
	case t.Process.Executable != "" && !p.isToldGone(t):
		return fmt.Sprintf("that its file is gone is told as %v", t.IMDS.ExecutableDeleted)
	}
	return ""
}

// isToldGone reports whether it is told right whether the executable's file is gone. Of a
// caller that had ended when it was looked at what the kernel told at its start is told, when
// the file was there: it has no working directory then.
func (p pretence) isToldGone(t toldCall) bool {
	gone := p.deleted != nil && p.deleted(t.Process.Executable)
	if gone && !t.IMDS.ExecutableDeleted {
		return t.Process.WorkingDirectory == ""
	}
	return gone == t.IMDS.ExecutableDeleted
}

// noOthers: no arguments may be told but those of the caller's start.
func noOthers([]string, made) bool { return false }

// rewritten: each byte is that of the start, or that which was written over it, as what is
// told may have been read while it was written.
func rewritten(told []string, m made) bool {
	is, was := strings.Join(told, "\x00"), strings.Join(m.args, "\x00")
	written, text := []byte(was), []byte(honestText)
	for at, arg := range argPlaces(m.args) {
		text = text[copy(written[at:at+len(arg)], text):]
	}
	if len(is) > len(was) || strings.Trim(string(written[len(is):]), "\x00") != "" && len(is) != len(was) {
		return false
	}
	for i := range is {
		if is[i] != was[i] && is[i] != written[i] {
			return false
		}
	}
	return true
}

// argPlaces are the arguments, and where each begins.
func argPlaces(args []string) iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		at := 0
		for _, arg := range args {
			if !yield(at, arg) {
				return
			}
			at += len(arg) + 1
		}
	}
}

// isGone: no file that runs has the name.
func isGone(executable string) bool {
	return strings.HasPrefix(executable, "/memfd:") || strings.HasPrefix(filepath.Base(executable), "gone")
}

func mayBeOther(directory, executable string) bool {
	return executable == filepath.Join(directory, otherProgram)
}

func mayHaveNoFile(directory, executable string) bool {
	return strings.HasPrefix(executable, "/memfd:") || strings.HasPrefix(executable, directory+"/gone") || strings.HasPrefix(executable, directory+"/is (deleted)")
}

// mayBeEnv: it is what the caller has by that name.
func mayBeEnv(_, executable string) bool { return executable == hostProgram }
