package output

import (
	"encoding/json"
	"math"
	"path"
	"slices"
	"strconv"
	"strings"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
)

// commentPrefix begins the comment of a packet that says whose the request in it is.
// The fields of the log entry that tell of the caller follow, as JSON.
const commentPrefix = "imds-analyzer: "

// maxComment is as much as a comment can hold: the length of an option of pcapng has
// 16 bits (draft-ietf-opsawg-pcapng, section 3.5).
const maxComment = math.MaxUint16

// Comment returns what is known of a caller as one line, for the packet in which his
// request begins; secrets are redacted as in the log. It is empty if nothing is known.
func (c *Callers) Comment(a *attribution.Answer, i *identity.Identity) string {
	var e Entry
	e.attribute(a)
	e.madeBy(c.of(a, i))
	if a.Status == attribution.Offline && e.WorkloadFields == (WorkloadFields{}) {
		return ""
	}
	return e.comment()
}

// NoCaller is the comment of a request of whose caller nothing is known, where
// without one a comment before it would be taken for its.
func NoCaller() string {
	e := Entry{IMDS: IMDS{Attribution: Attribution{Status: string(attribution.Offline)}}}
	return e.comment()
}

// comment leaves out what is long, the less telling first, until the rest has room.
func (e *Entry) comment() string {
	for _, shorten := range []func(){
		func() {},
		func() { e.IMDS.Ancestors, e.Process.Parent = nil, Parent{} },
		func() { e.Process.Args, e.Process.CommandLine, e.IMDS.Attribution.Candidates = nil, "", nil },
		func() { e.IMDS.Script, e.Process.WorkingDirectory, e.Process.Executable = Script{}, "", "" },
		func() { *e = Entry{IMDS: IMDS{Attribution: e.IMDS.Attribution}, Process: Process{PID: e.Process.PID}} },
	} {
		shorten()
		if line := appendCaller([]byte(commentPrefix), e); len(line) <= maxComment {
			return string(line)
		}
	}
	return ""
}

// appendCaller appends those fields that tell of the caller.
func appendCaller(line []byte, e *Entry) []byte {
	w := jsonWriter{line}
	w.line = append(w.line, '{')
	caller := IMDS{
		ExecutableDeleted: e.IMDS.ExecutableDeleted, ExecutableElsewhere: e.IMDS.ExecutableElsewhere,
		Attribution: e.IMDS.Attribution, OnBehalfOf: e.IMDS.OnBehalfOf, Ancestors: e.IMDS.Ancestors, Script: e.IMDS.Script,
	}
	caller.write(&w)
	e.Process.write(&w)
	e.User.write(&w)
	e.WorkloadFields.write(&w)
	e.Package.write(&w)
	w.line[len(w.line)-1] = '}' // instead of the last member's comma
	return w.line
}

// ReadComment reads what Comment has written, which may have been changed since. It
// reports false for everything else, also for what the log could not say.
func ReadComment(comment string) (attribution.Answer, identity.Identity, bool) {
	line, _, _ := strings.Cut(comment, "\n")
	text, ok := strings.CutPrefix(line, commentPrefix)
	var e Entry
	if !ok || len(line) > maxComment || json.Unmarshal([]byte(text), &e) != nil || !e.namesCaller() {
		return attribution.Answer{}, identity.Identity{}, false
	}
	a := e.answer()
	return a, e.identity(a), true
}

// namesCaller reports whether the entry says as much of the process as its status
// tells.
func (e *Entry) namesCaller() bool {
	switch attribution.Status(e.IMDS.Attribution.Status) {
	case attribution.Resolved, attribution.Shared, attribution.Inferred:
		return e.Process.PID > 0 && e.Process.VPID >= 0
	case attribution.NotFound, attribution.Unavailable, attribution.Offline:
		return e.Process.PID == 0
	}
	return false
}

// answer is the way back from attribute.
func (e *Entry) answer() attribution.Answer {
	a := attribution.Answer{Status: attribution.Status(e.IMDS.Attribution.Status)}
	if e.Process.PID == 0 {
		return a
	}
	a.Method, a.Process = attribution.CaptureComment, e.process()
	for _, r := range known(e.IMDS.Attribution.Candidates, attribution.MaxCandidates) {
		args := readCommandLine(r.CommandLine)
		a.Candidates = append(a.Candidates, attribution.Process{
			PID: r.PID, Name: r.Name, Executable: r.Executable,
			Args: args.list, ArgsTruncated: args.truncated, ArgsJoined: args.joined,
		})
	}
	if b := e.IMDS.OnBehalfOf; b.PID > 0 {
		a.OnBehalfOf = &attribution.Process{PID: b.PID, Name: b.Name, Executable: b.Executable}
	}
	return a
}

// known returns the processes that have a pid, up to so many.
func known(list []Relative, most int) []Relative {
	list = slices.DeleteFunc(list, func(r Relative) bool { return r.PID <= 0 })
	return list[:min(len(list), most)]
}

// process is the way back from the function of that name.
func (e *Entry) process() *attribution.Process {
	p := &e.Process
	args := readArguments(p.Args, p.CommandLine)
	return &attribution.Process{
		PID: p.PID, NamespacePID: p.VPID, Name: p.Name, Executable: p.Executable, Deleted: e.IMDS.ExecutableDeleted,
		Args: args.list, ArgsTruncated: args.truncated, ArgsJoined: args.joined,
		WorkingDirectory: p.WorkingDirectory, Start: p.Start, User: e.User.user(), Ancestors: e.ancestors(),
	}
}

func (u *User) user() *attribution.User {
	id, err := strconv.ParseUint(u.ID, 10, 32)
	if err != nil {
		return nil
	}
	return &attribution.User{ID: uint32(id), Name: u.Name}
}

// ancestors are those that the entry names. The first one's arguments stand apart.
func (e *Entry) ancestors() (line []attribution.Ancestor) {
	for i, r := range known(e.IMDS.Ancestors, attribution.MaxAncestors) {
		args := readCommandLine(r.CommandLine)
		if i == 0 && e.Process.Parent.PID == r.PID {
			args = readArguments(e.Process.Parent.Args, r.CommandLine)
		}
		line = append(line, attribution.Ancestor{
			PID: r.PID, Name: r.Name, Executable: r.Executable,
			Args: args.list, ArgsTruncated: args.truncated, ArgsJoined: args.joined,
		})
	}
	return line
}

// identity is the way back from identify. Of a process that is not known, a capture
// can still tell the container and pod.
func (e *Entry) identity(a attribution.Answer) (i identity.Identity) {
	w := e.WorkloadFields.workload()
	switch {
	case a.Process != nil:
		i.Workload = w
		i.Software = identity.Software{Package: e.Package.software(), Script: e.IMDS.Script.script(), Elsewhere: e.IMDS.ExecutableElsewhere}
		i.Caller, i.Generation = scriptCaller(e.IMDS.Ancestors)
	case a.Status == attribution.Offline:
		i.Container, i.Pod = w.Container, w.Pod
	}
	return i
}

// scriptCaller is what the nearest of the ancestors that run a script runs. known has left
// out the same ones before as for the line of ancestors.
func scriptCaller(line []Relative) (identity.Script, int) {
	for i, r := range known(line, attribution.MaxAncestors) {
		if r.Script != "" {
			script := readTitle(r.Script)
			script.Package = r.Package.software()
			return script, i + 1
		}
	}
	return identity.Script{}, 0
}

// workload takes what is whole: a container has an id.
func (f *WorkloadFields) workload() identity.Workload {
	w := identity.Workload{Task: f.Orchestrator.task(), Unit: f.Systemd.Unit, UserUnit: f.Systemd.UserUnit}
	if c := &f.Container; c.ID != "" {
		w.Container = identity.Container{ID: c.ID, Name: c.Name, Image: c.Image.Name}
		if runtime := identity.Runtime(c.Runtime); slices.Contains(runtimes[:], runtime) {
			w.Container.Runtime = runtime
		}
	}
	if k := &f.Kubernetes; k.Pod != (Pod{}) {
		w.Pod = identity.Pod{UID: k.Pod.UID, Name: k.Pod.Name, Namespace: k.Namespace}
	}
	return w
}

var runtimes = [...]identity.Runtime{identity.Docker, identity.Containerd, identity.CRIO, identity.Podman}

func (o *Orchestrator) task() identity.Task {
	id := path.Base(o.Resource.ID)
	if o.Resource.ID == "" || o.Type != taskType {
		return identity.Task{}
	}
	t := identity.Task{ID: id, Family: o.Resource.Name, Cluster: o.Cluster.Name}
	if id != o.Resource.ID {
		t.ARN = o.Resource.ID
	}
	return t
}

var packageTypes = [...]string{"deb", "rpm"}

func (p *Package) software() identity.Package {
	if p.Name == "" || p.Type != "" && !slices.Contains(packageTypes[:], p.Type) {
		return identity.Package{}
	}
	return identity.Package{Name: p.Name, Version: p.Version, Type: p.Type}
}

var scriptKinds = [...]identity.ScriptKind{identity.ScriptFile, identity.Module, identity.Jar, identity.Class, identity.Commands}

func (s *Script) script() identity.Script {
	kind := identity.ScriptKind(s.Kind)
	if !slices.Contains(scriptKinds[:], kind) {
		return identity.Script{}
	}
	return identity.Script{Kind: kind, Name: s.Name, Path: s.Path, Package: s.Package.software()}
}
