package main

import (
	"os"
	"testing"
)

// The memory of a child is what it took, in MiB, or the floor.
func TestPeakRSS(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("BENCHFILES_TEST_ROLE", "memory")
	c, err := runChild(t.Context(), []string{self}, nil)
	if err != nil {
		t.Fatal(err)
	}
	least, err := floor(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	// The race detector keeps several bytes for each.
	if used := float64(memoryUsed) / (1 << 20); c.RSS < used || c.RSS > max(least, 16*used) || least <= 0 {
		t.Errorf("a child with %.0f MiB has %.1f MiB, the least is %.1f MiB", used, c.RSS, least)
	}
}
