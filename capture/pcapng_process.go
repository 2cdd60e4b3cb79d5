package capture

import "imds-analyzer/imds"

// Apple's tcpdump describes the processes behind packets in blocks of a private
// type, and names them in packets by the order of these in the section
// (wiretap/pcapng.c of Wireshark: "Darwin Process Event Block").
const (
	pcapngOptProcessName = 2

	// pcapngMaxProcesses bounds a section's processes, and pcapngMaxProcess what
	// is read of one: as with interfaces, 20 MiB at most. Of more, and of blocks
	// that are another program's, nothing is known.
	pcapngMaxProcesses = 64 << 10
	pcapngMaxProcess   = 4 << 10
)

// pcapngProcess is a process that a section describes; its pid is 0 if that cannot
// be read.
type pcapngProcess struct {
	pid  int
	name string
}

// declareProcess takes in a process. A block without a pid still counts.
func (f *pcapngFile) declareProcess(body []byte) {
	if len(f.processes) == pcapngMaxProcesses {
		return
	}
	var process pcapngProcess
	if len(body) >= 4 {
		process.pid = max(0, int(int32(f.order.Uint32(body))))
		process.name = f.processName(body[4:])
	}
	f.processes = append(f.processes, process)
}

func (f *pcapngFile) processName(options []byte) string {
	for {
		o, rest, ok := pcapngNextOption(options, f.order)
		switch {
		case !ok || o.code == pcapngOptEnd:
			return ""
		case o.code == pcapngOptProcessName:
			return pcapngName(o.value)
		}
		options = rest
	}
}

// setSender takes in an option that names a process by its place in the section:
// the packet's own, or the one on whose behalf that acts.
func (f *pcapngFile) setSender(code uint16, place uint32, p *Packet) {
	if uint64(place) >= uint64(len(f.processes)) {
		return
	}
	process := f.processes[place]
	if p.Sender == nil {
		p.Sender = &imds.Sender{}
	}
	if code == pcapngOptProcess {
		p.Sender.PID, p.Sender.Name = process.pid, process.name
	} else {
		p.Sender.ForPID, p.Sender.ForName = process.pid, process.name
	}
}
