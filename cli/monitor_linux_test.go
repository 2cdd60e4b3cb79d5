package cli

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// One thread, and not the caller's, may be late afterwards.
func TestMonitorIsCalmed(t *testing.T) {
	calmMonitor()
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	var late []string
	for _, thread := range threads {
		slack, err := os.ReadFile("/proc/" + thread.Name() + "/timerslack_ns")
		if err == nil && strings.TrimSpace(string(slack)) == strconv.Itoa(monitorSlack) {
			late = append(late, thread.Name())
		}
	}
	if len(late) != 1 || late[0] == strconv.Itoa(os.Getpid()) {
		t.Errorf("threads %v are late", late)
	}
}
