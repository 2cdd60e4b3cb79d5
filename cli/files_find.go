package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"imds-analyzer/capture"
)

// standardInput is the name by which standard input is read.
const standardInput = "-"

// input is one file or stream that is to be read.
type input struct {
	name     string
	info     fs.FileInfo // nil if the system does not tell
	begins   time.Time   // of its first packet, zero for streams and if there is none
	stream   bool
	standard bool // it is standard input
	// Of inputs of a report: what it is by its content, and a stream that was looked
	// at, which can be opened but once.
	kind   inputKind
	looked *openInput
	from   origin
}

// inputs are what names stand for.
type inputs struct {
	inputs []input
	// passedOver tells of what is in directories and is not read.
	passedOver []string
	// unread is the number of files among those that hold something.
	unread uint64
	// forReport: logs and state files are looked for beside captures.
	forReport bool
	from      origin
	// otherwise are files that are read as something else: in directories they are
	// not looked at.
	otherwise []string
}

// findInputs finds what is named: files, streams, and the captures in
// directories. What is named or found more than once is read once.
func findInputs(ctx context.Context, from origin, names []string, stdin io.Reader) (*inputs, error) {
	found := &inputs{from: from}
	return found, found.find(ctx, names, stdin)
}

func (f *inputs) find(ctx context.Context, names []string, stdin io.Reader) error {
	for _, name := range names {
		if err := f.add(ctx, name, stdin); err != nil {
			return err
		}
	}
	f.lookAtAll(ctx)
	f.inputs = unique(f.inputs)
	return nil
}

// wanted is what is looked for.
func (f *inputs) wanted() string {
	if f.forReport {
		return "logs, state files or capture files"
	}
	return "capture files"
}

// add finds what one name stands for.
func (f *inputs) add(ctx context.Context, name string, stdin io.Reader) error {
	if name == standardInput {
		f.inputs = append(f.inputs, standardInputOf(stdin))
		return nil
	}
	info, err := f.from.Stat(name)
	switch {
	case err != nil:
		return plain(err)
	case info.IsDir():
		return f.addDirectory(ctx, name)
	}
	f.inputs = append(f.inputs, input{name: name, info: info, stream: !info.Mode().IsRegular(), from: f.from})
	return nil
}

// standardInputOf: whatever standard input is, it can be read but once.
func standardInputOf(stdin io.Reader) input {
	in := input{name: "standard input", stream: true, standard: true}
	if file, ok := stdin.(*os.File); ok {
		if info, err := file.Stat(); err == nil {
			in.info = info
		}
	}
	return in
}

// addDirectory finds the captures in a directory. Those in directories within it
// are others' and have to be named.
func (f *inputs) addDirectory(ctx context.Context, dir string) error {
	entries, err := f.from.ReadDir(dir)
	if err != nil {
		return plain(err)
	}
	var passed []string
	before := len(f.inputs)
	for _, entry := range entries {
		in := input{name: filepath.Join(dir, entry.Name()), from: f.from}
		switch {
		case f.readOtherwise(in.name), f.isLock(in.name):
		case f.isMember(ctx, &in):
			f.inputs = append(f.inputs, in)
		default:
			passed = append(passed, entry.Name())
			if in.info != nil && in.info.Mode().IsRegular() && in.info.Size() > 0 {
				f.unread++
			}
		}
	}
	if len(f.inputs) == before {
		return fmt.Errorf("%s holds no %s%s", dir, f.wanted(), among(passed))
	}
	if len(passed) > 0 {
		f.passedOver = append(f.passedOver, fmt.Sprintf("%d of %d in %s are passed over, which are hidden or no %s: %s",
			len(passed), len(entries), dir, f.wanted(), some(passed)))
	}
	return nil
}

// readOtherwise asks where the inputs are: by names nothing may be found any more.
func (f *inputs) readOtherwise(name string) bool {
	info, err := f.from.Stat(name)
	return err == nil && slices.ContainsFunc(f.otherwise, func(other string) bool {
		infoOther, err := f.from.Stat(other)
		return err == nil && os.SameFile(info, infoOther)
	})
}

// isLock: beside a state is its lock, of which there is nothing to tell.
func (f *inputs) isLock(name string) bool {
	state, ok := strings.CutSuffix(name, lockOf(""))
	if !ok {
		return false
	}
	lock, err := f.from.Stat(name)
	if err != nil || !lock.Mode().IsRegular() || lock.Size() > 0 {
		return false
	}
	_, err = f.from.Stat(state)
	return err == nil
}

// among says what there is instead of captures.
func among(passed []string) string {
	if len(passed) == 0 {
		return ": it is empty"
	}
	return ", but " + some(passed)
}

// shownNames is how many names of a list are shown.
const shownNames = 3

func some(names []string) string {
	if more := len(names) - shownNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(names[:shownNames], ", "), more)
	}
	return strings.Join(names, ", ")
}

// isMember reports whether what was found in a directory is to be read: what is
// or might be a capture, also one that cannot be opened. One that has gone since is
// not missing, as the oldest of a ring goes at any time.
func (f *inputs) isMember(ctx context.Context, in *input) bool {
	if strings.HasPrefix(filepath.Base(in.name), ".") {
		return false
	}
	info, err := f.from.Stat(in.name)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	if in.info = info; !info.Mode().IsRegular() {
		return false
	}
	err = f.look(ctx, in)
	return !errors.Is(err, capture.ErrNotCapture) && !errors.Is(err, fs.ErrNotExist)
}

// lookAtAll finds out when files begin, if there are several, and what they are.
func (f *inputs) lookAtAll(ctx context.Context) {
	if len(f.inputs) == 1 && !f.forReport {
		return
	}
	for i := range f.inputs {
		if in := &f.inputs[i]; in.begins.IsZero() && !in.stream {
			_ = f.look(ctx, in) // is met again when it is read, and told then
		}
	}
}

func (f *inputs) look(ctx context.Context, in *input) error {
	if f.forReport {
		return in.recognise(ctx)
	}
	return in.look(ctx)
}

// look finds out when a file begins. It is closed again: of thousands that were
// written one after the other only those are open that are being read.
func (in *input) look(ctx context.Context) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	file, err := in.from.Open(in.name)
	if err != nil {
		return err
	}
	defer file.Close()
	in.begins, err = capture.FirstTime(file)
	return err
}

// unique leaves out what is there before. Of 100,000 not each is compared with each.
func unique(list []input) []input {
	all := slices.Clone(list)
	seen := make(map[inputKey][]input)
	return slices.DeleteFunc(list, func(in input) bool {
		key := in.key()
		if slices.ContainsFunc(seen[key], in.same) || in.standard && slices.ContainsFunc(all, in.isFile) {
			return true
		}
		seen[key] = append(seen[key], in)
		return false
	})
}

// inputKey is the same for inputs that are the same. Files whose first packets have different
// times differ; those without packets, which a ring of quiet hours is full of, by their numbers.
type inputKey struct {
	begins int64
	number uint64
}

func (in input) key() inputKey {
	key := inputKey{begins: in.begins.UnixNano()}
	if in.info != nil {
		key.number = fileNumber(in.info)
	}
	return key
}

// isFile reports whether standard input is a file that is named, too.
func (in input) isFile(other input) bool { return !other.stream && in.same(other) }

func (in input) same(other input) bool {
	return in.name == other.name && in.standard == other.standard || in.info != nil && other.info != nil && os.SameFile(in.info, other.info)
}

// size is the number of bytes in it, below zero if that is not known.
func (in input) size() int64 {
	if in.info == nil || !in.info.Mode().IsRegular() {
		return -1
	}
	return in.info.Size()
}

// checkNotWritten refuses a file that is to be written, too: it may be in a
// directory that is read.
func (in input) checkNotWritten(written []target) error {
	for _, to := range written {
		if to.info != nil && in.info != nil && !in.stream && os.SameFile(in.info, to.info) {
			return fmt.Errorf("%s is both read and written", to.name)
		}
	}
	return nil
}

// target is a file that is to be written.
type target struct {
	name string
	info fs.FileInfo // nil if there is none yet
}

// targets looks at those that are to be written.
func targets(names ...string) (list []target) {
	for _, name := range names {
		if name != "" {
			info, _ := os.Stat(name)
			list = append(list, target{name, info})
		}
	}
	return list
}
