// Package carried reads what a capture itself says of who made a call, as other
// programs write it. None of it is proven, and its texts may hold anything.
package carried

import (
	"strconv"

	"imds-analyzer/attribution"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
)

// maxText bounds a name or a path: as long as a path can be (limits.h). Of a longer
// one nothing is taken.
const maxText = 4 << 10

// Caller returns the process that a note names, and what that belongs to. The
// Answer's Status is Offline if it names none.
func Caller(n *imds.Note) (attribution.Answer, identity.Identity) {
	if n == nil {
		return unknown, identity.Identity{}
	}
	if a, ok := darwin(n); ok {
		return a, identity.Identity{}
	}
	if a, w, ok := ptcpdump(n.Comment); ok {
		return a, identity.Identity{Workload: w}
	}
	a, _ := etl2pcapng(n)
	return a, identity.Identity{}
}

// unknown is the Answer where nothing is said.
var unknown = attribution.Answer{Status: attribution.Offline}

// answer is one that names a process.
func answer(s attribution.Status, p attribution.Process) attribution.Answer {
	return attribution.Answer{Status: s, Method: attribution.CaptureComment, Process: &p}
}

// pidOf reads a pid, which has 31 bits at most on all systems but Windows, where it
// has 32. It is 0 if the text is none.
func pidOf(text string) int {
	pid, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return 0
	}
	return int(pid)
}

// short returns the text, empty if it is too long.
func short(text string) string {
	if len(text) > maxText {
		return ""
	}
	return text
}
