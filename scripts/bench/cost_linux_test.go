package main

import "testing"

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
