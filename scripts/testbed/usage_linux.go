package testbed

import (
	"errors"
	"fmt"
	"os"
	"time"
)

// UsageOf reads what a process has used, with all its threads.
func UsageOf(pid int) (u Usage, err error) {
	stat, err1 := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	status, err2 := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	machine, err3 := os.ReadFile("/proc/stat")
	if err := errors.Join(err1, err2, err3); err != nil {
		return u, err
	}
	u.At = time.Now()
	u.CPU, err1 = ParseCPU(string(stat))
	u.RSS, err2 = Field(string(status), "VmRSS:")
	u.Peak, err3 = Field(string(status), "VmHWM:")
	u.Forks, err = Field(string(machine), "processes ")
	u.RSS, u.Peak = u.RSS<<10, u.Peak<<10
	return u, errors.Join(err, err1, err2, err3)
}
