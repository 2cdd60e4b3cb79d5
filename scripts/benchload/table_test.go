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

func TestQuantile(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(100 - i) // 100 to 1
	}
	for q, want := range map[float64]int64{0: 1, 0.5: 51, 0.99: 100, 1: 100} {
		if got := quantile(hundred, q); got != want {
			t.Errorf("%v of all are below %d", q, got)
		}
	}
	if quantile([]float64{}, 0.5) != 0 {
		t.Error("there is one of none")
	}
}

func TestMedian(t *testing.T) {
	for want, values := range map[float64][]float64{0: {}, 3: {3}, 2.5: {4, 1, 2, 3}, 2: {9, 1, 2}} {
		if got := median(values); got != want {
			t.Errorf("of %v it is %v", values, got)
		}
	}
	if got := spreadOf([]float64{3, 1, 2}, "%.0f"); got != "2 (1 to 3)" {
		t.Error(got)
	}
}
