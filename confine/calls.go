package confine

// The system calls by what they are for, in the names of x86-64 and arm64; each has
// some that the other has not. scripts/test-confinement finds out which are made.

// hot is what is done for each packet, event, and line.
var hot = []string{
	"futex", "read", "write", "epoll_pwait", "nanosleep", "poll", "ppoll", "recvfrom", "recvmsg", "sendto",
	"openat", "close", "readlinkat", "fcntl", "newfstatat", "fstat", "getdents64", "epoll_ctl", "clock_gettime",
	"rt_sigprocmask", "rt_sigaction", "rt_sigreturn", "sched_yield", "madvise", "pread64", "gettid", "getpid", "tgkill",
}

// running is what the Go runtime, libc and the race detector take to run threads and
// to have memory. clone3 is not among it, whose flags no filter sees: libc takes clone.
var running = []string{
	"arch_prctl", "brk", "clock_getres", "clock_nanosleep", "epoll_create1", "epoll_pwait2", "epoll_wait", "eventfd2",
	"exit", "exit_group", "futex_wait", "futex_waitv", "futex_wake", "futex_requeue", "get_robust_list", "getcpu", "getrandom",
	"getrusage", "gettimeofday", "membarrier", "mincore", "mlock", "mremap", "munlock", "munmap", "prctl", "prlimit64",
	"restart_syscall", "rseq", "rt_sigpending", "rt_sigtimedwait", "rt_sigsuspend", "sched_getaffinity", "sched_getparam", "sched_getscheduler",
	"set_robust_list", "set_tid_address", "setitimer", "getitimer", "sigaltstack", "sysinfo", "time", "timer_create",
	"timer_delete", "timer_settime", "times", "tkill", "uname", "getrlimit",
	"capget", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp", "getppid", "getresgid", "getresuid", "getuid",
}

// reading is what files and directories are read with, also those of /proc.
var reading = []string{
	"access", "close_range", "copy_file_range", "dup", "dup2", "dup3", "faccessat", "faccessat2", "fadvise64", "fstatfs",
	"getcwd", "ioctl", "lseek", "lstat", "open", "openat2", "pipe", "pipe2", "preadv", "preadv2", "pselect6",
	"readahead", "readlink", "readv", "select", "sendfile", "splice", "stat", "statfs", "statx",
}

// writing is what the log, its rotation, the state, the report and saved packets take.
var writing = []string{
	"fchmod", "fdatasync", "flock", "fsync", "ftruncate", "link", "linkat", "pwrite64", "pwritev", "pwritev2", "rename",
	"renameat", "renameat2", "umask", "unlink", "unlinkat", "writev",
}

// talking is what sockets take: the kernel's of netlink, those of packets, the journal,
// the service manager, and one that somebody asks for metrics.
var talking = []string{
	"accept", "accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvmmsg", "sendmmsg",
	"sendmsg", "setsockopt", "shutdown",
}

// watching is what a capture takes besides: the priority of its threads, and the ends
// of processes.
var watching = []string{
	"getpriority", "kill", "pidfd_open", "pidfd_send_signal", "sched_getattr", "sched_setaffinity", "sched_setattr", "sched_setparam",
	"sched_setscheduler", "setpriority", "wait4", "waitid",
}

// starting starts programs, and nothing else does.
var starting = []string{"execve", "execveat"}

// ofPrograms is what programs of others may do besides: those of package managers, and
// commands of which nothing is known.
var ofPrograms = []string{
	"alarm", "capset", "chdir", "chmod", "chown", "creat", "epoll_create", "eventfd", "fallocate", "fchdir", "fchmodat", "fchmodat2",
	"fchown", "fchownat", "fgetxattr", "flistxattr", "fork", "fsetxattr", "futimesat", "get_mempolicy", "getdents",
	"getsid", "getxattr", "inotify_add_watch", "inotify_init", "inotify_init1",
	"inotify_rm_watch", "ioprio_get", "ioprio_set", "landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self",
	"lchown", "lgetxattr", "listxattr", "llistxattr", "mbind", "memfd_create", "mkdir", "mkdirat", "mknod", "mknodat", "mlock2",
	"mlockall", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink", "msgctl", "msgget",
	"msgrcv", "msgsnd", "mseal", "msync", "munlockall", "pause", "personality", "pkey_alloc", "pkey_free",
	"pkey_mprotect", "rmdir", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "sched_get_priority_max",
	"sched_get_priority_min", "sched_rr_get_interval",
	"seccomp", "semctl", "semget", "semop", "semtimedop", "set_mempolicy", "setpgid", "setrlimit", "setsid", "setxattr",
	"shmat", "shmctl", "shmdt", "shmget", "signalfd", "signalfd4", "socketpair", "symlink", "symlinkat", "sync", "sync_file_range",
	"syncfs", "tee", "timer_getoverrun", "timer_gettime", "timerfd_create", "timerfd_gettime", "timerfd_settime", "truncate",
	"utime", "utimensat", "utimes", "vfork", "vmsplice",
}

// users makes a process another user's.
var users = []string{"setfsgid", "setfsuid", "setgid", "setgroups", "setregid", "setresgid", "setresuid", "setreuid", "setuid"}

// never is what nothing that the program does, or runs, has a use for: to reach into
// other processes and the kernel, and to change the machine.
var never = []string{
	"acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module", "finit_module", "fsconfig", "fsmount",
	"fsopen", "fspick", "init_module", "io_uring_enter", "io_uring_register", "io_uring_setup", "ioperm", "iopl", "kcmp", "kexec_file_load",
	"kexec_load", "keyctl", "mount", "mount_setattr", "move_mount", "name_to_handle_at", "open_by_handle_at", "open_tree", "perf_event_open",
	"pidfd_getfd", "pivot_root", "process_madvise", "process_vm_readv", "process_vm_writev", "ptrace", "quotactl", "reboot",
	"request_key", "setdomainname", "sethostname", "settimeofday", "swapoff", "swapon", "syslog", "umount2", "unshare", "userfaultfd", "vhangup",
}

// noTyping: no one types for the user at the terminal that the program runs on, whose
// shell would do it when the program has ended (TIOCSTI, TIOCLINUX; ioctl_tty(2)).
var noTyping = rule{calls: []string{"ioctl"}, verdict: forbidden, conditions: []conditions{exactly(1, 0x5412), exactly(1, 0x541c)}}

// sockets are those of unix(7), IP, netlink(7) and packet(7), by their families.
var sockets = rule{calls: []string{"socket"}, verdict: allowed, conditions: []conditions{
	exactly(0, 1), exactly(0, 2), exactly(0, 10), exactly(0, 16), exactly(0, 17),
}}

// enterNetwork: namespaces of other kinds stay closed (CLONE_NEWNET, setns(2)).
var enterNetwork = rule{calls: []string{"setns"}, verdict: allowed, conditions: []conditions{exactly(1, 0x40000000)}}
