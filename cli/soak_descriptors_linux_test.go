//go:build soak

package cli_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Others on this machine have network namespaces, too, in which the program captures. What leads to one in
// which somebody lives is not the run's: its own are gone at the end.

// descriptorKinds are how many descriptors of each kind a process has, but for those that lead
// to where others live: files by name, others by what they are (proc_pid_fd(5)).
func (s *soak) descriptorKinds(t *testing.T, pid int) map[string]int {
	t.Helper()
	inhabited, kinds := inhabitedNetworks(), map[string]int{}
	own := networkOf(fmt.Sprintf("/proc/%d", pid))
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	process, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(process)
	for _, name := range names {
		target, err := os.Readlink(name)
		if err != nil {
			continue // closed meanwhile
		}
		switch network := networkBehind(process, pid, name, target); {
		case network == "" || network == own:
			kind, _, _ := strings.Cut(target, ":[")
			kinds[kind]++
		case !inhabited[network]:
			kinds["of a network of nobody: "+target]++
		}
	}
	return kinds
}

// networkOf is the network namespace of a process or thread, by its directory in /proc.
func networkOf(dir string) string {
	network, _ := os.Readlink(filepath.Join(dir, "ns/net"))
	return network
}

// inhabitedNetworks are the network namespaces with a thread in them.
func inhabitedNetworks() map[string]bool {
	inhabited := map[string]bool{}
	threads, _ := filepath.Glob("/proc/[0-9]*/task/*")
	for _, dir := range threads {
		inhabited[networkOf(dir)] = true
	}
	return inhabited
}

// networkBehind is the network namespace that a descriptor leads to: it is one, a socket in one (SIOCGSKNS,
// Linux 4.9), or a process in one. It is empty for all else, and a word of its own for a process that has ended.
func networkBehind(process, pid int, name, target string) string {
	switch {
	case strings.HasPrefix(target, "net:["):
		return target
	case strings.HasPrefix(target, "socket:["):
		return networkOfSocket(process, name)
	case target == "anon_inode:[pidfd]" || strings.HasPrefix(target, "pidfd:["):
		return networkOfPidfd(pid, name)
	}
	return ""
}

// networkOfSocket asks for the socket's own, by a descriptor of it (pidfd_getfd(2)).
func networkOfSocket(process int, name string) string {
	var n int
	if _, err := fmt.Sscan(filepath.Base(name), &n); err != nil {
		return ""
	}
	socket, err := unix.PidfdGetfd(process, n, 0)
	if err != nil {
		return ""
	}
	defer unix.Close(socket)
	network, err := unix.IoctlRetInt(socket, unix.SIOCGSKNS)
	if err != nil {
		return ""
	}
	defer unix.Close(network)
	target, _ := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", network))
	return target
}

// networkOfPidfd is that of the process that is told by what /proc knows of the descriptor (pidfd_open(2)).
func networkOfPidfd(pid int, name string) string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/fdinfo/%s", pid, filepath.Base(name)))
	for line := range strings.Lines(string(text)) {
		var of int
		if _, err := fmt.Sscanf(line, "Pid: %d", &of); err != nil {
			continue
		}
		if network := networkOf(fmt.Sprintf("/proc/%d", of)); network != "" {
			return network
		}
		return "an ended process's"
	}
	return ""
}

// networksOf is in how many network namespaces a process has something open.
func networksOf(pid int) int {
	networks := map[string]bool{}
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, name := range names {
		if target, _ := os.Readlink(name); strings.HasPrefix(target, "net:[") {
			networks[target] = true
		}
	}
	return len(networks)
}
