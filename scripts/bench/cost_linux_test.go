package main

import (
	"os"
	"testing"
	"time"
)

func TestUsageOf(t *testing.T) {
	before := time.Now()
	u, err := usageOf(os.Getpid())
	if err != nil || u.rss < 1<<20 || u.peak < u.rss || u.forks < 1 || u.at.Before(before) {
		t.Errorf("%+v, %v", u, err)
	}
	if _, err := usageOf(1 << 30); err == nil {
		t.Error("a process that is not there uses something")
	}
}

// Of a process that has ended nothing is measured, and no client is started.
func TestMeterFails(t *testing.T) {
	m := meter{launcher: &launcher{}, pid: 1 << 30}
	m.idle(0)
	if m.err == nil {
		t.Fatal("there is no error")
	}
	if p := m.storm(1); p != (period{}) {
		t.Errorf("%+v", p)
	}
}
