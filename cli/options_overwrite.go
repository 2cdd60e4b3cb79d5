package cli

import (
	"cmp"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"imds-analyzer/output/logfile"
)

// checkOverwrite refuses to write to a file that is read, and to one in two ways. It fails
// with a flagError.
func (o *options) checkOverwrite(stdin io.Reader) error {
	for _, flag := range []string{"output", "write"} {
		written := o.written()[flag]
		for _, read := range o.read {
			if written != "" && (sameFile(read, written) || read == standardInput && isFile(stdin, written)) {
				return wrong(flag, "%s is both read and written", written)
			}
		}
	}
	return cmp.Or(o.checkTwice(), o.checkNumbered())
}

// written are the files that are written to, by their flags; "" if they are not.
func (o *options) written() map[string]string {
	return map[string]string{"output": o.output, "write": o.write, "state": o.state, metricsTextfileFlag: o.metricsTextfile}
}

// checkTwice refuses one file for two things.
func (o *options) checkTwice() error {
	if o.output != "" && o.write != "" && sameFile(o.output, o.write) {
		return wrong("output", "-o and -w name the same file")
	}
	for _, flag := range []string{"output", "write", "state", metricsTextfileFlag} {
		others := []string{o.configFile}
		if flag == metricsTextfileFlag {
			others = append(others, o.output, o.write)
		}
		if o.state != "" {
			others = append(others, lockOf(o.state))
			if flag != "state" {
				others = append(others, o.state)
			}
		}
		for _, other := range others {
			if name := o.written()[flag]; name != "" && other != "" && sameFile(name, other) {
				return wrong(flag, "%s is to be two things at once", name)
			}
		}
	}
	return nil
}

// checkNumbered refuses names that the log is given when it is rotated.
func (o *options) checkNumbered() error {
	if o.rotateSize == 0 {
		return nil
	}
	for flag, name := range map[string]string{"write": o.write, "state": o.state, "output": o.configFile} {
		if name != "" && isNumbered(name, o.output) {
			return wrong(flag, "%s is the name of a log that was rotated", name)
		}
	}
	return nil
}

// isNumbered reports whether a file has the name that a log may be given when it is
// rotated.
func isNumbered(file, log string) bool {
	log = logfile.Target(log)
	number, ok := strings.CutPrefix(filepath.Base(file), filepath.Base(log)+".")
	if _, err := strconv.Atoi(number); err != nil || !ok {
		return false
	}
	return sameFile(filepath.Dir(file), filepath.Dir(log))
}

// isFile reports whether a stream is the file of that name.
func isFile(stream io.Reader, name string) bool {
	file, ok := stream.(*os.File)
	if !ok {
		return false
	}
	opened, errOpened := file.Stat()
	named, errNamed := os.Stat(name)
	return errOpened == nil && errNamed == nil && opened.Mode().IsRegular() && os.SameFile(opened, named)
}

// sameFile reports whether two names are those of one file, also of one that
// is yet to be made.
func sameFile(a, b string) bool {
	infoA, errA := os.Stat(a)
	infoB, errB := os.Stat(b)
	switch dirA, dirB := filepath.Dir(a), filepath.Dir(b); {
	case errA == nil && errB == nil:
		return os.SameFile(infoA, infoB)
	case errA == nil || errB == nil:
		return false
	case dirA == a || dirB == b: // a drive that is not there, or a directory that is closed to us
		return a == b
	default:
		return filepath.Base(a) == filepath.Base(b) && sameFile(dirA, dirB)
	}
}
