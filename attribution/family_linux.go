package attribution

import "slices"

// family remembers the ancestors of the processes that one search found: many
// have the same.
type family struct {
	facts facts
	known map[int]relative // by pid
}

// relative is a process among the ancestors of another.
type relative struct {
	Ancestor
	stat procStat
	ok   bool // false if nothing could be read of it
}

func newFamily(f facts) *family { return &family{facts: f, known: make(map[int]relative)} }

// ancestors returns the parent, its parent and so on. A parent is no younger
// than its child: one that seems so has taken over the pid of one that ended.
func (f *family) ancestors(child procStat) []Ancestor {
	var line []Ancestor
	for len(line) < MaxAncestors && child.parent > 0 {
		parent := f.relative(child.parent)
		circle := slices.ContainsFunc(line, func(a Ancestor) bool { return a.PID == parent.PID })
		if !parent.ok || parent.stat.start > child.start || circle {
			break
		}
		line = append(line, parent.Ancestor)
		child = parent.stat
	}
	return line
}

func (f *family) relative(pid int) relative {
	r, ok := f.known[pid]
	if !ok {
		r = f.read(pid)
		f.known[pid] = r
	}
	return r
}

func (f *family) read(pid int) relative {
	stat, err := f.facts.proc.stat(pid)
	if err != nil {
		return relative{}
	}
	p, ok := f.facts.identity(pid, stat, MaxAncestorArgsBytes)
	return relative{Ancestor{PID: p.PID, Name: p.Name, Executable: p.Executable, Args: p.Args, ArgsTruncated: p.ArgsTruncated}, stat, ok}
}
