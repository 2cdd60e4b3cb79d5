package attribution

// Do calls the job in a thread that is in the namespace, which is thrown away
// then. It takes CAP_SYS_ADMIN and, for other users' processes, CAP_SYS_PTRACE.
func (n Network) Do(job func() error) error { return inNetworkOf(n.dir, job) }

// MayEnter reports whether network namespaces may be entered (setns(2)), by
// entering our own.
func MayEnter() error { return inNetworkOf("/proc/self", func() error { return nil }) }
