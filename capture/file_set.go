package capture

import (
	"cmp"
	"io"
	"runtime"
	"slices"
	"sync/atomic"
	"time"
)

// What a set has open at once. Only files of the same time are open together, so
// that of thousands that were written one after the other it is one or two.
const (
	// setOpenFiles is a quarter of the 256 open files that the strictest system
	// allows (macOS, launchctl(1)). Each takes 256 KiB of buffer, and three times as
	// much again if it is packed: 64 are 16 to 67 MiB.
	setOpenFiles = 64
	// setMemory bounds what files take that hold larger packets, or were packed
	// with a larger window: no more are opened beyond it. The last one may take
	// fileZstdWindow and twice fileRecordLimit more.
	setMemory = 256 << 20
)

// SetFile is one file of a FileSet.
type SetFile struct {
	// Name stands before its errors.
	Name string
	// Begins is the time of its first packet (FirstTime).
	Begins time.Time
	// Stream is true for what can be read only once and as it arrives. It comes
	// after all files, since nobody can know when it begins.
	Stream bool
	// Open opens it, when it is due. It is called once at most.
	Open func() (io.ReadCloser, error)
}

// before orders files by the time at which they are due.
func (f SetFile) before(other SetFile) int {
	switch {
	case f.Stream && other.Stream:
		return 0
	case f.Stream:
		return 1
	case other.Stream:
		return -1
	}
	return f.Begins.Compare(other.Begins)
}

// FileSet is the Source of several files in the order of time: those that were
// written one after the other, in that order, and those of the same time packet
// by packet. The packets of one file keep their order whatever their times are.
//
// Other than the end of a usual Source that of one file is not the end of a
// set: after an error other than io.EOF Next goes on with the other files.
type FileSet struct {
	sieve      *Sieve
	waiting    []SetFile    // in order
	open       []*setMember // by their next packets
	opened     int          // so far
	given      bool         // the packet of the first was handed out
	now        time.Time    // of the last one that was
	late       atomic.Uint64
	heavy      bool          // memory is why it was full last
	lateMemory atomic.Uint64 // of the late ones, those for which there was no memory
	drops      atomic.Uint64
}

// setMember is an open file, of which the packet that it has is the next one.
type setMember struct {
	source *fileSource
	lane   int
	number int // of those that were opened, in order
}

// compare orders open files by their next packets; of those at one time that which was opened
// first comes first.
func (m *setMember) compare(other *setMember) int {
	return cmp.Or(m.packet().Time.Compare(other.packet().Time), cmp.Compare(m.number, other.number))
}

func (m *setMember) packet() *Packet { return &m.source.packet }

// NewFileSet returns the Source of the files. Those that begin at the same time
// are read in the order in which they are given. Packets that sieve, unless nil,
// has no interest in are passed over.
func NewFileSet(files []SetFile, sieve *Sieve) *FileSet {
	waiting := slices.Clone(files)
	slices.SortStableFunc(waiting, SetFile.before)
	return &FileSet{sieve: sieve, waiting: waiting}
}

// Next implements Source, but for errors: see FileSet. They are those of reading or opening the
// file, or wrap ErrNotCapture, ErrTruncated or ErrDamaged, and name the file.
func (s *FileSet) Next() (*Packet, error) {
	if s.given {
		s.given = false
		if err := s.advance(); err != nil {
			return nil, err
		}
	}
	first := s.earliest()
	for ; s.due(first); first = s.earliest() {
		if err := s.openNext(); err != nil {
			return nil, err
		}
	}
	if first == nil {
		return nil, io.EOF
	}
	s.given = true
	p := first.packet()
	s.now = p.Time
	return p, nil
}

// Late returns how many files were opened after their time, because as many
// others as can be open at once had packets of that time. It may be called at
// any time, in any goroutine.
func (s *FileSet) Late() uint64 { return s.late.Load() }

// Drops returns how many packets the files say that their writers have lost, as far as they
// were read. It may be called at any time, in any goroutine.
func (s *FileSet) Drops() uint64 { return s.drops.Load() }

// LateForMemory returns how many of them were late because of what others took of
// memory, however few these were. It may be called like Late.
func (s *FileSet) LateForMemory() uint64 { return s.lateMemory.Load() }

// Close implements Source.
func (s *FileSet) Close() error {
	for _, m := range s.open {
		_ = m.source.Close() // it was only read
	}
	s.open, s.waiting, s.given = nil, nil, false
	return nil
}

// due reports whether the next file is to be opened, before the packet of the first of those
// that are open. One that begins when that goes on can wait: most often it was written behind it.
func (s *FileSet) due(first *setMember) bool {
	if len(s.waiting) == 0 {
		return false
	}
	next := &s.waiting[0]
	due := first == nil || !next.Stream && next.Begins.Before(first.packet().Time)
	return due && !s.full() // which takes a look at each of them
}

// full reports whether no more files can be open. It notes why: what is late was due
// when that was asked last, before there was room.
func (s *FileSet) full() bool {
	heavy := len(s.open) > 1 && s.memory() >= setMemory
	full := heavy || len(s.open) == setOpenFiles
	if full {
		s.heavy = heavy
	}
	return full
}

// memory is about what the open files take, in bytes.
func (s *FileSet) memory() (bytes int) {
	for _, m := range s.open {
		bytes += m.source.memory()
	}
	return bytes
}

// earliest returns the open file whose next packet comes first, nil if none is open.
func (s *FileSet) earliest() *setMember {
	if len(s.open) == 0 {
		return nil
	}
	return s.open[0]
}

// openNext opens the next file and reads the first packet in it.
func (s *FileSet) openNext() error {
	next := s.waiting[0]
	s.waiting[0] = SetFile{} // its closure can be forgotten
	s.waiting = s.waiting[1:]
	if !next.Stream && next.Begins.Before(s.now) {
		s.countLate()
	}
	input, err := next.Open()
	if err != nil {
		return err
	}
	source, err := fileOpen(fileInput{Reader: input, name: next.Name, closer: input, whole: !next.Stream, drops: &s.drops}, s.sieve)
	if err != nil {
		_ = input.Close() // it was only read, and the first error tells more
		return err
	}
	s.opened++
	m := &setMember{source: source, lane: s.freeLane(), number: s.opened}
	s.open = slices.Insert(s.open, 0, m)
	return s.advance()
}

// countLate counts a file that was opened after its time, by what it has waited for.
func (s *FileSet) countLate() {
	s.late.Add(1)
	if s.heavy {
		s.lateMemory.Add(1)
	}
}

// advance reads the next packet of the first file, and puts that in its place by it, or lets
// it go if there is none.
func (s *FileSet) advance() error {
	m := s.open[0]
	if err := m.source.advance(); err != nil {
		_ = m.source.Close() // it was only read
		s.open = slices.Delete(s.open, 0, 1)
		if err == io.EOF {
			return nil
		}
		return err
	}
	m.packet().InterfaceID += m.lane * pcapngMaxInterfaces
	if len(s.open) > 1 {
		s.place(m)
	}
	return nil
}

// place moves the first file behind those whose next packets come before its own.
func (s *FileSet) place(m *setMember) {
	before, _ := slices.BinarySearchFunc(s.open[1:], m, (*setMember).compare)
	copy(s.open, s.open[1:1+before])
	s.open[before] = m
}

// freeLane returns the lowest number that no open file has. Each file numbers its
// interfaces from zero on: what was written one after the other is taken for
// captures of the same interfaces, what was captured at the same time is not.
func (s *FileSet) freeLane() int {
	lanes := make([]int, 0, setOpenFiles)
	for _, m := range s.open {
		lanes = append(lanes, m.lane)
	}
	slices.Sort(lanes)
	for free, taken := range lanes {
		if free != taken {
			return free
		}
	}
	return len(lanes)
}

// FirstTime returns the time of the first packet of the capture in r, and reads
// little more than that. Without a packet the error is io.EOF; others are those
// of FileSet.
func FirstTime(r io.Reader) (time.Time, error) {
	first, memory, err := firstTime(r)
	if memory > fileZstdUsualWindow {
		runtime.GC() // who looks at many files would take that for each, before any is cleaned up
	}
	return first, err
}

// firstTime returns what it took of memory, too.
func firstTime(r io.Reader) (first time.Time, memory int, err error) {
	source, err := fileOpen(fileInput{Reader: littleReader{r}}, nil)
	if err != nil {
		return time.Time{}, 0, err
	}
	p, err := source.Next()
	if err != nil {
		return time.Time{}, source.memory(), err
	}
	return p.Time, source.memory(), nil
}

// littleRead is a page: most captures have their first packet in the first.
const littleRead = 4 << 10

// littleReader hands out little at once, where not much is wanted.
type littleReader struct{ r io.Reader }

func (l littleReader) Read(p []byte) (int, error) { return l.r.Read(p[:min(len(p), littleRead)]) }
