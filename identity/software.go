package identity

import (
	"time"

	"imds-analyzer/attribution"
)

// software says what a process runs. Packages are looked up for files of the
// host only: the package manager knows no others.
func (i *Identifier) software(p *attribution.Process) Software {
	s := Software{Script: scriptOf(p)}
	s.Caller, s.Generation = callerOf(p.Ancestors)
	if p.HostRoot && s.Script.Path != "" && !i.files.exists(s.Script.Path) {
		// It was named in another directory, or in $PATH.
		s.Script.Path = ""
	}
	if i.packages == nil {
		return s
	}
	var ours bool
	s.Package, ours = i.packages.ofExecutable(p)
	if ours && p.HostRoot {
		s.Script.Package = i.packages.ofScript(s.Script.Path, p.Start)
		s.Caller.Package = i.packages.ofScript(s.Caller.Path, p.Start)
	}
	return s
}

// ofExecutable returns the package of what a process runs, and whether that is
// known to be the file that we find by the same name. In a container that is
// another one, or none.
func (p *packages) ofExecutable(process *attribution.Process) (owner Package, ours bool) {
	if process.ExecutableFile == nil {
		return Package{}, false
	}
	now, ok := p.files.lookAt(process.Executable)
	switch {
	case !ok:
		return Package{}, false
	case process.Deleted:
		return p.ofReplaced(process, now), false
	case !same(now.File, *process.ExecutableFile):
		return Package{}, false
	}
	return p.owner(now), true
}

// ofReplaced returns the package of an executable that was replaced while it
// runs. What is there now need not be what runs.
func (p *packages) ofReplaced(process *attribution.Process, now hostFile) Package {
	if !process.HostRoot || now.Device != process.ExecutableFile.Device {
		return Package{}
	}
	owner := p.owner(now)
	owner.Version = ""
	return owner
}

// ofScript returns the package of the script that a process has run since then.
// If its file has changed since, what runs may be another version.
func (p *packages) ofScript(path string, since time.Time) Package {
	now, ok := p.files.lookAt(path)
	if !ok {
		return Package{}
	}
	owner := p.owner(now)
	if !now.changed.Before(since) {
		owner.Version = ""
	}
	return owner
}

// hostFile is a file as it is found in our mount namespace.
type hostFile struct {
	attribution.File
	path    string    // without symbolic links
	changed time.Time // its inode, as by an installation (inode(7), ctime)
}

func same(a, b attribution.File) bool {
	return a.Device == b.Device && a.Inode == b.Inode && a.Modified.Equal(b.Modified)
}
