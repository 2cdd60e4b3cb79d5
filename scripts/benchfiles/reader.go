package main

import (
	"fmt"
	"os/exec"

	"imds-analyzer/capture"
	"imds-analyzer/imds"
)

// The programs that read the files.
const (
	program = "imds-analyzer"
	saver   = "with -w" // the program, which saves packets, too
	tcpdump = "tcpdump"
	tshark  = "tshark"
)

// contest is a file and who reads it.
type contest struct {
	file    string
	readers []string
	// runs is how often each reads it in a round: short runs differ more.
	runs int
}

func contests() []contest {
	return []contest{
		{"haystack", []string{program, tcpdump}, 1},
		{"needles", []string{program, saver, tcpdump, tshark}, 1},
		{"disorder", []string{program, tcpdump, tshark}, 1},
		{"open", []string{program, tcpdump}, 1},
		{"start", []string{program, tcpdump}, 20},
	}
}

// command returns what a reader is called with. The program writes the log to
// a file, and the packets, masked, to another where it saves them; tshark prints its lines; tcpdump writes packets, which takes it less
// time than to print them, and has the filter of a live capture. It writes them to standard
// output, which is the null device: as root it would give a file that it is told, and that
// device, to the user that it runs as (tcpdump(8), -Z).
func command(reader, binary, file, log, saved string) []string {
	switch reader {
	case tcpdump:
		return []string{tcpdump, "-r", file, "-w", "-", capture.Filter(imds.DefaultEndpoints())}
	case tshark:
		return []string{tshark, "-r", file, "-Y", "http.request", "-T", "fields",
			"-e", "frame.time_epoch", "-e", "ip.src", "-e", "tcp.srcport", "-e", "http.request.method", "-e", "http.request.uri"}
	}
	args := []string{binary, "-r", file, "-o", log}
	if reader == saver {
		args = append(args, "-w", saved)
	}
	return args
}

// packageOf is where the distributions have the tools.
func packageOf(tool string) string {
	if tool == tshark {
		return "tshark (Debian, Ubuntu), wireshark-cli (Fedora, RHEL, Amazon Linux) or wireshark (SUSE), or leave it out with -tshark-rounds 0"
	}
	return tool
}

// findTool says what to do about a tool that is not there.
func findTool(tool string) error {
	if _, err := exec.LookPath(tool); err != nil {
		return fmt.Errorf("%s is missing: install the package %s", tool, packageOf(tool))
	}
	return nil
}
