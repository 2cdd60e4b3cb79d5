package cli

import (
	"fmt"
	"os"
	"strconv"
)

// monitorSlack is how much later than asked for the runtime's monitor may wake
// up, in ns.
const monitorSlack = 50_000_000

// calmMonitor has the monitor thread of the Go runtime (runtime.sysmon) wake up
// less often. After each event that ends a silence it looks around every 20 µs,
// 50 times, before it slows down, which on a host with little to do takes more
// processor time than all that there is to do: 66 of 127 µs for each process
// that starts. What it looks for (threads that do not let go of a processor
// while others wait for one) can wait, as there are more of the runtime's
// processors than busy threads (hotThreads).
//
// It is the first thread that the runtime makes, hence the second in the
// directory, which is in the order of their making. If it is not, or if
// CAP_SYS_NICE is missing, some thread is late by as much, or nothing changes.
func calmMonitor() {
	threads, err := os.Open("/proc/self/task")
	if err != nil {
		return
	}
	defer threads.Close()
	names, _ := threads.Readdirnames(2)
	if len(names) < 2 || names[0] != strconv.Itoa(os.Getpid()) {
		return
	}
	// timerslack_ns (proc_pid_timerslack_ns(5), Linux 4.6) is below /proc/TID
	// alone, not in the directory of the thread's process.
	_ = os.WriteFile(fmt.Sprintf("/proc/%s/timerslack_ns", names[1]), []byte(strconv.Itoa(monitorSlack)), 0)
}
