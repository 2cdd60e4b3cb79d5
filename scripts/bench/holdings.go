package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// holdings are what a process has of the kernel.
type holdings struct {
	Threads int            `json:"threads"`
	Files   map[string]int `json:"descriptors"` // by their kind
	RSS     int64          `json:"rss_bytes"`
	// Interfaces are those of the host and the service: one end of a cable goes
	// with the namespace of the other, which is there as long as a process, a
	// socket or a descriptor keeps it.
	Interfaces int `json:"interfaces"`
}

// fileKind is what the target of a link in /proc/PID/fd says of a descriptor
// (proc_pid_fd(5)): "socket:[4026]" is a socket, "anon_inode:[eventpoll]" what is
// in the brackets, and everything else a file.
func fileKind(target string) string {
	kind, name, found := strings.Cut(target, ":[")
	switch {
	case !found || strings.Contains(kind, "/"):
		return "file"
	case kind == "anon_inode":
		return strings.TrimSuffix(name, "]")
	default:
		return kind
	}
}

// fewThreads are no leak: Go's runtime keeps the threads that it starts when all
// others are in system calls. One kept for each container would be more.
const fewThreads = 8

// more says what there is more of than before, memory apart.
func (h holdings) more(before holdings) []string {
	var more []string
	compare := func(what string, was, is int) {
		if is > was {
			more = append(more, fmt.Sprintf("%s: %d instead of %d", what, is, was))
		}
	}
	compare("threads", before.Threads+fewThreads, h.Threads)
	compare("interfaces", before.Interfaces, h.Interfaces)
	for _, kind := range slices.Sorted(maps.Keys(h.Files)) {
		compare(kind, before.Files[kind], h.Files[kind])
	}
	return more
}

func (h holdings) equal(o holdings) bool {
	return h.Threads == o.Threads && h.Interfaces == o.Interfaces && maps.Equal(h.Files, o.Files)
}

func (h holdings) String() string {
	text := fmt.Sprintf("RSS %.1f MiB, %d threads, %d interfaces; descriptors:", mebibytes(h.RSS), h.Threads, h.Interfaces)
	for _, kind := range slices.Sorted(maps.Keys(h.Files)) {
		text += fmt.Sprintf(" %s %d", kind, h.Files[kind])
	}
	return text
}
