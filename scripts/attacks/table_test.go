package main

import (
	"errors"
	"strings"
	"testing"
)

func TestCell(t *testing.T) {
	v := &verdict{PeakRSS: 40 << 10, Made: 3, Right: 3, Due: 3, CPU: 1.25, AtLeast: map[string]uint64{"x": 1}, Notes: map[string]uint64{"x": 1}}
	v.Counts.DroppedKernel = 1234567
	if got, want := v.cell(), "40 MiB, 3 of 3, 1.2 s of CPU, 1,234,567 packets dropped"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	v.Partly, v.Unknown, v.PeakRSS, v.Other = 1, 1, 65<<10, []string{"another"}
	if got, want := v.cell(), "**65 MiB**, **3 of 3 (1 in part)**, 1.2 s of CPU, 1,234,567 packets dropped, **1 other faults**"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestGrouped(t *testing.T) {
	for n, want := range map[uint64]string{0: "0", 999: "999", 1000: "1,000", 40123456: "40,123,456"} {
		if got := grouped(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

const document = "# Title\n\n| what | now |\n| --- | --- |\n| `one` | not this |\n\n" +
	"| attack | before | now | why |\n| --- | --- | --- | --- |\n| `one`, fast | a | b | c |\n| `one-more` | d | e | f |\nText `one`\n"

func TestSetCell(t *testing.T) {
	got, err := setCell([]byte(document), "one", "now", "40 MiB")
	if want := strings.Replace(document, "| b |", "| 40 MiB |", 1); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	got, err = setCell([]byte(document), "one-more", "before", "50 MiB")
	if want := strings.Replace(document, "| d |", "| 50 MiB |", 1); err != nil || string(got) != want {
		t.Errorf("%q, %v, want %q", got, err, want)
	}
	for _, missing := range [][2]string{{"two", "now"}, {"one", "later"}} {
		if _, err := setCell([]byte(document), missing[0], missing[1], "x"); !errors.Is(err, errNoCell) {
			t.Errorf("%q: %v, want %v", missing, err, errNoCell)
		}
	}
}
