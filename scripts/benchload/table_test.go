package main

import (
	"strings"
	"testing"
)

func TestTable(t *testing.T) {
	var out strings.Builder
	printHead(&out, "clients", "calls")
	printRow(&out, "`get`", count(1234567))
	want := "| clients | calls |\n| --- | --- |\n| `get` | 1,234,567 |\n"
	if out.String() != want {
		t.Errorf("%q", &out)
	}
	for n, want := range map[int]string{0: "0", 7: "7", 999: "999", 1000: "1,000", 100_000: "100,000"} {
		if count(n) != want {
			t.Errorf("%d is %s", n, count(n))
		}
	}
	if mebibytes(3<<19) != "1.5" {
		t.Error(mebibytes(3 << 19))
	}
}
