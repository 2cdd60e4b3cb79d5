package cli

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"sync"
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
// A thread that the monitor makes is as late as itself (PR_SET_TIMERSLACK, prctl(2)),
// also where the runtime sleeps for 3 µs before it takes over work: of callers that lived
// for 50 ms 4 of 100 were not found by proc. So it comes late, when most threads are
// there, and makes some to spare before.
//
// It is the first thread that the runtime makes, hence the second in the
// directory, which is in the order of their making. If it is not, or if
// CAP_SYS_NICE is missing, some thread is late by as much, or nothing changes.
func calmMonitor() {
	makeThreads(hotThreads)
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

// makeThreads has the runtime make threads, which it keeps for what is to come.
func makeThreads(n int) {
	var here, gone sync.WaitGroup
	here.Add(n)
	for range n {
		gone.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			here.Done()
			here.Wait() // each keeps its thread until all have one
		})
	}
	gone.Wait()
}
