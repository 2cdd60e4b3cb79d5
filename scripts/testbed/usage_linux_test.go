package testbed

import (
	"os"
	"testing"
	"time"
)

func TestUsageOf(t *testing.T) {
	before := time.Now()
	u, err := UsageOf(os.Getpid())
	if err != nil || u.RSS < 1<<20 || u.Peak < u.RSS || u.Forks < 1 || u.At.Before(before) {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := UsageOf(1 << 30); err == nil {
		t.Error("a process that is not there uses something")
	}
}
