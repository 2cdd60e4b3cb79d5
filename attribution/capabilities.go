package attribution

import "slices"

// Capabilities in the words of capabilities(7), and what they are for here.
const (
	// capPtrace is for what /proc hides of other users' processes: the links
	// exe, cwd, ns and fd/N, and all of it under hidepid= (proc(5)).
	capPtrace = "CAP_SYS_PTRACE"
	// capReadSearch is for the directory /proc/PID/fd of other users, and for
	// tracefs; capOverride does that, too.
	capReadSearch = "CAP_DAC_READ_SEARCH"
	capOverride   = "CAP_DAC_OVERRIDE"
	// capAdmin is for entering network namespaces as they come (setns(2)).
	capAdmin = "CAP_SYS_ADMIN"
)

// stillUsed are those of the capabilities held that the ways, best first, use
// once they are open.
//
// Without capPtrace a process sees into those of its own user that have no
// capability which it has not (cap_ptrace_access_check, security/commoncap.c).
// Root's processes have many, so that root then needs all that it has left.
func stillUsed(methods []Method, held []string, root bool) []string {
	if len(methods) == 0 {
		return nil
	}
	if root && !slices.Contains(held, capPtrace) {
		return held
	}
	return slices.DeleteFunc(slices.Clone(held), func(c string) bool { return !uses(methods, held, c) })
}

// uses reports whether the ways use a capability. The tracepoint reads of a
// process only what it is. The most powerful one sock_diag has where it comes
// first; as second best it leaves other network namespaces to the tables in
// /proc, which need none.
func uses(methods []Method, held []string, capability string) bool {
	searches := slices.Contains(methods, SockDiag) || slices.Contains(methods, Proc)
	switch capability {
	case capPtrace:
		return true
	case capReadSearch:
		return searches
	case capOverride:
		return searches && !slices.Contains(held, capReadSearch)
	case capAdmin:
		return methods[0] == SockDiag
	}
	return false
}
