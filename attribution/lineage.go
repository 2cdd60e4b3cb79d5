package attribution

import "container/list"

const (
	// maxMembers processes are remembered. Those that ended are forgotten at
	// once, so that it is the living ones that have to fit: most machines have
	// fewer. Of others the latest stay known.
	maxMembers = 4 << 10
	// maxMembersBytes bounds what is remembered of them: 2 KiB each. Most take
	// about 1 KiB with their ancestors.
	maxMembersBytes = 8 << 20
)

// member is a process as the events tell of it.
type member struct {
	pid   int
	since int64 // when it was forked, ns, 0 if that was not seen
	// image is what was read of the program that it runs, at its execve(2) or
	// later, nil if nothing was.
	image *reading
	// own is false for an image that was inherited: it tells what program this
	// is, but not as which user, where and in which cgroup.
	own       bool
	ancestors []kin
	place     *list.Element
	bytes     int // what it was counted as
}

// kin is a process among the ancestors of another: what was read of it may be
// put in doubt still.
type kin struct {
	pid   int
	image *reading // not nil
}

// complete fills in what is not known of the process, which ended before all of
// it was read, and stays the same while the program runs. (Its user, its
// directory and its cgroup do not.)
func (m *member) complete(p *Process) {
	if m.image == nil || m.image.doubted {
		return
	}
	image := m.image.process
	p.lacks(image)
	if m.own && p.Start.IsZero() {
		p.Start = image.Start
	}
	if m.own && p.NamespacePID == 0 {
		p.NamespacePID = image.NamespacePID
	}
}

// cgroupAt is the cgroup that the process was in when it started its program, if
// that was just before: a process is moved to another one before it starts what
// is to run there, or while it lives on (cgroups(7)).
func (m *member) cgroupAt(at int64) string {
	if !m.own || m.image == nil || m.image.doubted || at-m.image.ended > cgroupStays {
		return ""
	}
	return m.image.process.Cgroup
}

// cgroupStays is how long after its execve(2) a process is taken to be in the
// same cgroup, ns. Those of which it cannot be read any more when they connect
// live for milliseconds.
const cgroupStays = 100_000_000

func (m *member) size() int {
	n := 256 + m.image.size()
	for _, k := range m.ancestors {
		n += k.image.size() // as if no other had it
	}
	return n
}

// line is the ancestors of a child of the member.
func (m *member) line() []kin {
	if m.image == nil || m.image.doubted {
		return nil
	}
	line := append([]kin{{m.pid, m.image}}, m.ancestors...)
	return line[:min(len(line), MaxAncestors)]
}

// lineage is the processes of the machine at one point in time: it follows them
// from event to event.
type lineage struct {
	members map[int]*member // by pid
	used    *list.List      // of *member, the latest used first
	bytes   int
}

func newLineage() *lineage {
	return &lineage{members: make(map[int]*member), used: list.New()}
}

// find returns the process with the pid, nil if it is not known.
func (l *lineage) find(pid int) *member {
	m := l.members[pid]
	if m != nil {
		l.used.MoveToFront(m.place)
	}
	return m
}

func (l *lineage) put(m *member) {
	l.forget(m.pid)
	l.members[m.pid] = m
	m.place = l.used.PushFront(m)
	m.bytes = m.size()
	l.bytes += m.bytes
	for len(l.members) > maxMembers || l.bytes > maxMembersBytes {
		l.forget(l.used.Back().Value.(*member).pid)
	}
}

// forget drops a process that has ended.
func (l *lineage) forget(pid int) {
	if m := l.members[pid]; m != nil {
		l.bytes -= m.bytes
		l.used.Remove(m.place)
		delete(l.members, pid)
	}
}

// forgetAll is for when events are missing.
func (l *lineage) forgetAll() { *l = *newLineage() }

// fork adds a child, which runs what its parent runs.
func (l *lineage) fork(parent, child int, sibling bool, at int64) {
	m := &member{pid: child, since: at}
	if p := l.find(parent); p != nil {
		m.image = p.image
		m.ancestors = p.line()
		if sibling {
			m.ancestors = p.ancestors
		}
	}
	l.put(m)
}

// exec sets what a process runs from now on.
func (l *lineage) exec(pid int, read *reading) {
	m := &member{pid: pid, image: read, own: true}
	if before := l.find(pid); before != nil {
		m.since, m.ancestors = before.since, before.ancestors
	}
	if len(m.ancestors) == 0 {
		m.ancestors = l.lineOf(read)
	}
	l.put(m)
}

// learn adds a process that was found running, unless it is known.
func (l *lineage) learn(read *reading) {
	if read == nil || read.doubted || l.find(read.process.PID) != nil || !read.says() {
		return
	}
	l.put(&member{pid: read.process.PID, image: read, own: true, ancestors: l.lineOf(read)})
}

// lineOf returns the ancestors of a process by the parent that it said to have.
func (l *lineage) lineOf(read *reading) []kin {
	if read == nil || !read.known {
		return nil
	}
	parent := l.find(read.parent)
	if parent == nil || parent.startedAfter(read) {
		return nil
	}
	return parent.line()
}

// startedAfter reports whether the member is too young to be the parent of the
// process that was read: it has taken over the pid of one that ended.
func (m *member) startedAfter(child *reading) bool {
	return m.own && m.image != nil && m.image.known && m.image.start > child.start
}
