package attribution

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"
)

// errOutOfTime says that the time for a search has passed.
var errOutOfTime = errors.New("out of time")

// tables is the way that reads the tables of sockets in /proc, that of our own
// network namespace and those of the others that processes are in. A table
// takes the kernel about 10 ms however short it is, as it goes through all
// buckets of the hash table behind it, and misses a row now and then, when
// others vanish between two reads: about one connection in 3,000 where
// thousands had just been closed.
type tables struct {
	proc   proc
	search *search
	// own is true if the table of our own namespace is to be read too, for
	// want of a better way to look into it.
	own bool
	// kept reports whether a better way looks into the namespace; may be nil.
	kept      func(namespace string) bool
	captured  *follower // says in which namespaces packets are captured
	addresses func() addresses
}

func (w *tables) method() Method { return Proc }
func (w *tables) close() error   { return nil }

// find looks into the other namespaces only for connections that cannot be from
// our own: their addresses are not ours.
func (w *tables) find(queries []query) []Answer {
	l := newLookOut(queries)
	own := w.addresses()
	ours := func(t Tuple) bool { return t.Network == "" && own.has(t.Local.Addr()) }
	w.readOwn(l, ours)
	l.dismiss(ours)
	w.readOthers(l)
	answers := w.search.answers(queries, l.inodes, func(Tuple, uint64) bool { return true })
	for i := range answers {
		switch {
		case l.ambiguous[i]:
			answers[i] = Answer{Status: NotFound}
		case !l.complete && answers[i].Process != nil:
			answers[i].Status = Inferred
		}
	}
	return answers
}

// ownReads is how often our own table is read at most, as a row can be missing.
const ownReads = 3

// readOwn reads our own table until those that have to be in it are found.
func (w *tables) readOwn(l *lookOut, ours func(Tuple) bool) {
	for range ownReads {
		if w.own && l.complete {
			l.read(filepath.Join(w.proc.root, "net"), "", true)
			l.dismiss(func(Tuple) bool { return false })
		}
		if !slices.ContainsFunc(slices.Collect(maps.Keys(l.wanted)), ours) {
			return
		}
	}
}

// readOthers reads the tables of all network namespaces but ours, those with
// young processes first.
func (w *tables) readOthers(l *lookOut) {
	if len(l.wanted) == 0 {
		return
	}
	pids, err := w.proc.pids()
	if err != nil {
		return
	}
	seen := map[string]bool{"": true, w.proc.networkNamespace("self"): true}
	for _, pid := range pids {
		namespace := w.proc.networkNamespace(strconv.Itoa(pid))
		if !seen[namespace] && (w.kept == nil || !w.kept(namespace)) {
			// A process that is gone says nothing of its namespace. Another may.
			seen[namespace] = l.read(w.proc.path(pid, "net"), namespace, w.captured.follows(namespace))
		}
	}
}

// lookOut looks for the sockets of some queries in tables.
type lookOut struct {
	wanted    map[Tuple][]int // places of the queries still looked for
	until     time.Time
	inodes    []uint64 // of the queries, 0 if not found
	ambiguous []bool   // found in several namespaces: there is no telling which it was
	complete  bool     // there was time to read all tables
}

func newLookOut(queries []query) *lookOut {
	l := &lookOut{
		wanted:    make(map[Tuple][]int),
		inodes:    make([]uint64, len(queries)),
		ambiguous: make([]bool, len(queries)),
		complete:  true,
	}
	for i, q := range queries {
		l.wanted[q.tuple] = append(l.wanted[q.tuple], i)
		if q.until.After(l.until) {
			l.until = q.until
		}
	}
	return l
}

// dismiss ends the search for the connections that were found, and for those
// that unwanted is true of.
func (l *lookOut) dismiss(unwanted func(Tuple) bool) {
	for t, places := range l.wanted {
		if l.inodes[places[0]] != 0 || unwanted(t) {
			delete(l.wanted, t)
		}
	}
}

// read looks into the tables in a directory, which are a namespace's, and reports
// whether they are there. If its packets are captured there, no others' are its.
func (l *lookOut) read(dir, namespace string, captured bool) bool {
	inodes4, err4 := l.readTable(filepath.Join(dir, "tcp"), false)
	inodes6, err6 := l.readTable(filepath.Join(dir, "tcp6"), true)
	l.complete = l.complete && !errors.Is(errors.Join(err4, err6), errOutOfTime)
	for t, places := range l.wanted {
		if captured && t.Network != namespace {
			continue
		}
		l.found(places, inodes4[tableKey(t, false)])
		l.found(places, inodes6[tableKey(t, true)])
	}
	return !errors.Is(err4, fs.ErrNotExist) || !errors.Is(err6, fs.ErrNotExist)
}

// readTable looks into one table. An IPv4 connection can be in that for IPv6
// too, as that of an IPv6 socket. Without connections to look for the table is
// not read, as if it were not there.
func (l *lookOut) readTable(path string, six bool) (map[string]uint64, error) {
	keys := make(map[string]bool, len(l.wanted))
	for t := range l.wanted {
		if six || t.Local.Addr().Is4() {
			keys[tableKey(t, six)] = true
		}
	}
	if len(keys) == 0 {
		return nil, fs.ErrNotExist
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return findInTable(timedReader{file, l.until}, keys)
}

func (l *lookOut) found(places []int, inode uint64) {
	for _, i := range places {
		if inode != 0 {
			l.ambiguous[i] = l.inodes[i] != 0
			l.inodes[i] = inode
		}
	}
}

// timedReader reads until a point in time.
type timedReader struct {
	io.Reader
	until time.Time
}

func (r timedReader) Read(b []byte) (int, error) {
	if !time.Now().Before(r.until) {
		return 0, errOutOfTime
	}
	return r.Reader.Read(b)
}
