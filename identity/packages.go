package identity

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// patience is how long the package managers may take for a file: twelve times
	// what dpkg-query took with 739 packages whose lists of files were not in
	// memory (0.16 s; 0.05 s if they were). The output waits meanwhile: for a
	// call with a new executable and a new script 4 s at the most, in which
	// 1,000 calls a second fill the 4,096 places that cli has for them. Two
	// such calls in a row hold up the capture; a tool is given up for a while soon after.
	patience = 2 * time.Second
	// maxOwners files are remembered with their packages: four times the
	// programs that a summary lists. With paths and versions of 200 bytes they
	// take 0.4 MiB.
	maxOwners = 1 << 10
)

// packages knows which packages own files. It is safe for concurrent use.
type packages struct {
	managers []manager
	patience time.Duration
	files    files
	mu       sync.Mutex // guards owners
	owners   map[ownedFile]*question
}

// question is what the package managers are asked for a file, once.
type question struct {
	asked time.Time
	owner func() Package
	// open: one of them has not had its say.
	open atomic.Bool
}

// isToBeAsked reports whether it is time to ask again.
func (q *question) isToBeAsked() bool {
	return q == nil || q.open.Load() && time.Since(q.asked) >= askAgain
}

// manager is a package manager. owner returns what is known of the package with
// this path, and whether that is all that can be had; what goes wrong, limits tells.
type manager interface {
	owner(ctx context.Context, path string) (p Package, answered bool)
	limits() []string
}

// ownedFile tells a file, with what is in it, from all others.
type ownedFile struct {
	path          string
	device, inode uint64
	modified      int64 // ns since 1970
}

// newPackages returns nil where there is no package manager.
func newPackages(mounts *mounts, managers ...manager) *packages {
	if len(managers) == 0 {
		return nil
	}
	return &packages{files: files{mounts: mounts}, managers: managers, patience: patience, owners: map[ownedFile]*question{}}
}

// managersOf returns the package managers of the system with this root directory:
// those that have both a tool and a database there. On Debian rpm can be
// installed without having a package.
func managersOf(root string) (managers []manager) {
	if path, ok := firstOf(root, toolDirectories, "dpkg-query"); ok && isThere(root, "var/lib/dpkg/status") {
		managers = append(managers, &dpkg{tool{path: path}})
	}
	if path, ok := firstOf(root, toolDirectories, "rpm"); ok && hasRPMDatabase(root) {
		managers = append(managers, &rpm{tool{path: path}})
	}
	return managers
}

// toolDirectories are where distributions install tools. $PATH is not asked: it
// is whoever's who started us.
var toolDirectories = []string{"usr/bin", "bin", "usr/sbin", "sbin"}

// hasRPMDatabase looks for the databases of rpm's back ends: sqlite, ndb and
// Berkeley DB.
func hasRPMDatabase(root string) bool {
	for _, name := range []string{"rpmdb.sqlite", "Packages.db", "Packages"} {
		if _, ok := firstOf(root, []string{"var/lib/rpm", "usr/lib/sysimage/rpm"}, name); ok {
			return true
		}
	}
	return false
}

func firstOf(root string, directories []string, name string) (path string, ok bool) {
	for _, directory := range directories {
		if path := filepath.Join(directory, name); isThere(root, path) {
			return filepath.Join(root, path), true
		}
	}
	return "", false
}

func isThere(root, path string) bool {
	_, err := os.Stat(filepath.Join(root, path))
	return err == nil
}

// owner returns the package that owns the file, empty if none is known to. It is
// looked for once: who asks meanwhile waits. Where there was no answer it is looked for
// again, but not at once.
func (p *packages) owner(f hostFile) Package { return p.answer(f)() }

func (p *packages) answer(f hostFile) func() Package {
	key := ownedFile{f.path, f.Device, f.Inode, f.Modified.UnixNano()}
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.owners[key]; !known.isToBeAsked() {
		return known.owner
	}
	if len(p.owners) >= maxOwners {
		for any := range p.owners {
			delete(p.owners, any)
			break
		}
	}
	q := &question{asked: time.Now()}
	q.owner = sync.OnceValue(func() Package {
		owner, answered := p.askInTime(f)
		q.open.Store(!answered)
		return owner
	})
	p.owners[key] = q
	return q.owner
}

// askInTime is ask, also where a tool cannot be ended: one that looks at a file as
// well may wait for its file system.
func (p *packages) askInTime(f hostFile) (owner Package, answered bool) {
	type answer struct {
		owner    Package
		answered bool
	}
	a, inTime := within(&p.files, p.patience+lookTime, func() answer {
		owner, answered := p.ask(f)
		return answer{owner, answered}
	})
	return a.owner, a.answered && inTime
}

// ask asks the package managers one after the other. Their answers are on what
// has the path: if the file is replaced meanwhile, the version may be the
// other's.
func (p *packages) ask(f hostFile) (owner Package, answered bool) {
	answered = true
	if !isPlain(f.path) {
		return Package{}, answered
	}
	ctx, cancel := context.WithTimeout(context.Background(), p.patience)
	defer cancel()
	for _, m := range p.managers {
		owner, all := m.owner(ctx, f.path)
		answered = answered && all
		if owner.Name == "" {
			continue
		}
		if now, ok := p.files.mounts.lookAt(f.path); !ok || !same(now.File, f.File) {
			owner.Version = ""
		}
		return owner, answered
	}
	return Package{}, answered
}

// isPlain reports whether a path has nothing in it that the tools could take for
// anything else: they write a line a file, and rpm expands macros, which begin
// with "%".
func isPlain(path string) bool {
	return !strings.ContainsFunc(path, func(r rune) bool { return r < ' ' || r == 0x7f || r == '%' })
}

// Limits says in sentences for people what could not be told, and why.
// There are none if all went well.
func (i *Identifier) Limits() (said []string) {
	hung := []*files{&i.files}
	if i.runtimes != nil {
		hung = append(hung, &i.runtimes.files)
	}
	if i.packages != nil {
		hung = append(hung, &i.packages.files)
		for _, m := range i.packages.managers {
			said = append(said, m.limits()...)
		}
	}
	return append(said, limits(hung...)...)
}

// onlyOf returns the one element that all in the list are, empty if they differ.
func onlyOf(list []string) string {
	for _, s := range list {
		if s != list[0] {
			return ""
		}
	}
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// garbled is the error for output that is not as the tool's manual has it. It
// does not repeat the output.
func garbled(tool string) error { return fmt.Errorf("%s wrote what it never should", tool) }
