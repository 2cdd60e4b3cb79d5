// Package identity says whose a process is, in words that its owner knows: its
// container and pod, its unit of systemd, the package it comes from, the script
// that it runs. It asks no daemon and sends nothing over the network.
package identity

import (
	"time"

	"imds-analyzer/attribution"
)

// Identity is what is known of a process's origin. What is not known is empty.
type Identity struct {
	Workload
	Software
}

// Workload is what a process is a part of, by the path of its cgroup and by what
// container runtimes keep in files of their own.
type Workload struct {
	Container Container
	Pod       Pod
	Task      Task
	// Unit is the unit of the system's systemd, UserUnit that of a user's, which
	// runs in the Unit user@UID.service (systemd.unit(5)).
	Unit, UserUnit string
	// Bounds is the name of the outermost cgroup that holds the process and that it cannot
	// have made, where that is none of the above: the container that the Container is inside
	// of, the unit whose cgroups may have a container's name from anyone, or the slice or
	// the cgroup of a user's sessions.
	Bounds string
}

// Container is a container.
type Container struct {
	ID      string
	Runtime Runtime // empty if neither path nor files tell
	// Name is what the specification of its pod or the definition of its task calls
	// it or, outside of those, its runtime.
	Name  string
	Image string // with its tag, or its digest
}

// Runtime is a container runtime.
type Runtime string

// The runtimes, in the words of the log entry.
const (
	Docker     Runtime = "docker"
	Containerd Runtime = "containerd"
	CRIO       Runtime = "cri-o"
	Podman     Runtime = "podman"
)

// Pod is one of Kubernetes.
type Pod struct{ UID, Name, Namespace string }

// Task is one of Amazon ECS. Family is that of its definition, with the
// revision: "web:7".
type Task struct{ ID, ARN, Family, Cluster string }

// Software is what a process runs.
type Software struct {
	// Package owns the executable. Its version is left out where what runs may
	// not be what the package has on disk now.
	Package Package
	Script  Script
	// Elsewhere: the executable is known not to be the host's file of that name, and the
	// process is in no container.
	Elsewhere bool
	// Caller is what the nearest of the ancestors that are interpreters with a script
	// runs, with the package that its file is of when the call is told; Generation is 1
	// for the parent, 0 if there is none.
	Caller     Script
	Generation int
}

// Package is one of the system's package manager, as that names it.
type Package struct {
	Name, Version string
	Type          string // "deb" or "rpm"
}

// ScriptKind is what an interpreter was told to run.
type ScriptKind string

// The kinds, in the words of the log entry.
const (
	ScriptFile ScriptKind = "file"   // bash boot.sh
	Module     ScriptKind = "module" // python3 -m http.server
	Jar        ScriptKind = "jar"    // java -jar app.jar
	Class      ScriptKind = "class"  // java com.example.Main
	Commands   ScriptKind = "commands"
)

// Script is what an interpreter runs.
type Script struct {
	Kind    ScriptKind
	Name    string  // as it was given; empty for Commands
	Path    string  // of the file, absolute
	Package Package // that owns the file
}

// Identifier finds out what processes are. It is safe for concurrent use.
type Identifier struct {
	cache    *cache
	runtimes *runtimes
	packages *packages // nil if none are looked up
	files    files
	host     string // leads to the host's root directory, with its mounts; empty if that is not known
}

// Options say where to look. The zero value is right for a normal machine.
type Options struct {
	Root string           // of the file system; "/" if empty
	Now  func() time.Time // the clock; time.Now if nil
	// NoPackages leaves packages out: no package manager is asked.
	NoPackages bool
}

// New returns an Identifier.
func New(o Options) *Identifier {
	mounts := newMounts()
	i := &Identifier{runtimes: newRuntimes(o), host: hostRoot(pid1Root), files: files{mounts: mounts}, cache: newCache(o.Now)}
	if !o.NoPackages {
		i.packages = newPackages(mounts, managersOf("/")...)
	}
	return i
}

// RunsPrograms reports whether the package manager's tools are run.
func (i *Identifier) RunsPrograms() bool { return i.packages != nil }

// Identify says what is known of a process, or was a moment ago. The process is not to be
// changed afterwards.
func (i *Identifier) Identify(p *attribution.Process) Identity {
	return i.cache.identity(p, i.identify)
}

func (i *Identifier) identify(p *attribution.Process) Identity {
	found := Identity{Workload: i.Workload(p.Cgroup), Software: i.software(p)}
	// Packages are those of the host's files. Paths in containers are theirs.
	found.Elsewhere = found.Package == Package{} && found.Container.ID == "" && i.isElsewhere(p)
	return found
}

// Workload says what runs in a cgroup, named by its path.
func (i *Identifier) Workload(cgroup string) Workload { return i.runtimes.complete(parsePath(cgroup)) }
