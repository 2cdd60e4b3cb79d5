// Package attribution finds the process behind a TCP connection of this host.
package attribution

import (
	"net/netip"
	"time"
)

// Tuple names a TCP connection as the process that opened it sees it.
type Tuple struct {
	Local, Remote netip.AddrPort
	// Network is the network namespace in which its packets were captured, as
	// /proc/PID/ns/net names it (namespaces(7)), empty for our own. The process
	// can be in another one.
	Network string
}

// ends is the tuple as the kernel knows it in whatever namespace.
func (t Tuple) ends() Tuple { return Tuple{Local: t.Local, Remote: t.Remote} }

// Process is a process (thread group) as it was when it was seen. Fields whose
// value is not known are zero.
type Process struct {
	PID              int
	NamespacePID     int // the pid in the process's own pid namespace, where that is another one
	Name             string
	Executable       string
	ExecutableFile   *File // nil if it was not looked at
	Deleted          bool  // the executable was removed or replaced since
	Args             []string
	ArgsTruncated    bool // Args are not all, or the last is not whole
	ArgsJoined       bool // Args are a line cut at its blanks: where one ended is not known
	WorkingDirectory string
	Start            time.Time // to 10 ms, rounded down
	User             *User
	Cgroup           string     // path of the process's cgroup, in systemd's or the unified hierarchy
	HostRoot         bool       // its root directory and its mounts are known to be ours: names of files mean the same
	Ancestors        []Ancestor // parent first, up to pid 1, at most MaxAncestors
}

// File tells a file from all others, and from what was in it before (inode(7)).
type File struct {
	Device, Inode uint64
	Modified      time.Time
}

// is reports whether two files are known to be the same.
func (f *File) is(other *File) bool {
	return f != nil && other != nil && f.Device == other.Device && f.Inode == other.Inode
}

// User is the effective user of a process. Name is empty if it is not known.
type User struct {
	ID   uint32
	Name string
}

// Ancestor is a process among the parents of another.
type Ancestor struct {
	PID           int
	Name          string
	Executable    string
	Args          []string
	ArgsTruncated bool
	ArgsJoined    bool
}

// What an Answer holds at most: 8 KiB of a process's arguments, and with 16
// ancestors of 1 KiB each 24 KiB in all. So many are kept as take no more than that again
// besides their bytes. The candidates of a shared socket have no ancestors.
const (
	MaxArgsBytes         = 8 << 10
	MaxAncestorArgsBytes = 1 << 10
	MaxAncestors         = 16
	MaxCandidates        = 15
)

// Status says what an Answer rests on.
type Status string

// The statuses, in the words of the log entry.
const (
	Resolved    Status = "resolved"    // exact evidence
	Shared      Status = "shared"      // several processes hold the socket
	Inferred    Status = "inferred"    // evidence by timing, or that may be stale
	NotFound    Status = "not_found"   // looked for and not found
	Unavailable Status = "unavailable" // no way of looking works here
	Offline     Status = "offline"     // a capture file that does not tell: there is no kernel to ask
)

// Method is a way of finding the process.
type Method string

// The methods, in the words of the log entry.
const (
	Tracepoint Method = "tracepoint"
	SockDiag   Method = "sock_diag"
	Proc       Method = "proc"
	// CaptureComment is no way of looking: the capture file told.
	CaptureComment Method = "capture_comment"
)

// Answer is what is known of the process behind a connection.
type Answer struct {
	Status Status
	Method Method // empty unless a process was found
	// Process is nil unless Status is Resolved, Shared or Inferred. Of several
	// that hold the socket it is the one that started first: the others may
	// have inherited it.
	Process *Process
	// Candidates are the other processes that hold the socket, at most
	// MaxCandidates. They come without ancestors.
	Candidates []Process
	// OnBehalfOf is the process for which Process acts, nil unless a capture file
	// names one: its pid and name.
	OnBehalfOf *Process

	looked time.Time // when the socket was seen to be the connection's; zero if it cannot have been another's
}
