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
// came in it says nothing. There can be others' comments before it.
func etl2pcapng(n *imds.Note) (attribution.Answer, bool) {
	if n.Inbound {
		return unknown, false
	}
	for line := range strings.SplitSeq(n.Comment, "\n") {
		if text, ok := strings.CutPrefix(line, "PID="); ok {
			return runningProcess(text)
		}
	}
	return unknown, false
}

func runningProcess(text string) (attribution.Answer, bool) {
	text, rest, more := strings.Cut(text, " ")
	pid := pidOf(text)
	if more && !strings.HasPrefix(rest, "TID=") || pid == windowsIdle || pid == windowsSystem {
		return unknown, false
	}
	return answer(attribution.Inferred, attribution.Process{PID: pid}), true
}
