package carried

import (
	"strings"

	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

// Pids of Windows that are no program's: nobody's, and the kernel's.
const (
	windowsIdle   = 0
	windowsSystem = 4
)

// etl2pcapng reads the comment that the program of that name writes to packets of a
// Windows trace: "PID=4712 TID=4716", and more behind that; its first versions had
// no TID. It is the process that was running when the packet was traced, "frequently
// not" the one that has sent it, as its README says: likely at best. Of a packet that
// came in it says nothing.
func etl2pcapng(n *imds.Note) (attribution.Answer, bool) {
	text, ok := strings.CutPrefix(n.Comment, "PID=")
	if !ok || n.Inbound {
		return unknown, false
	}
	text, _, _ = strings.Cut(text, "\n")
	text, rest, more := strings.Cut(text, " ")
	pid := pidOf(text)
	if more && !strings.HasPrefix(rest, "TID=") || pid == windowsIdle || pid == windowsSystem {
		return unknown, false
	}
	return answer(attribution.Inferred, attribution.Process{PID: pid}), true
}
