package main

import "testing"

func TestPercentile(t *testing.T) {
	hundred := make([]int64, 100)
	for i := range hundred {
		hundred[i] = int64(100 - i) // 100 to 1
	}
	for hundredths, want := range map[int]int64{0: 1, 1: 1, 50: 50, 99: 99, 100: 100} {
		if got := percentile(hundred, hundredths); got != want {
			t.Errorf("%d of 100 are at most %d", hundredths, got)
		}
	}
	for hundredths, want := range map[int]float64{0: 1, 33: 1, 34: 2, 50: 2, 99: 3} {
		if got := percentile([]float64{3, 1, 2}, hundredths); got != want {
			t.Errorf("%d %% of 1, 2, 3 are at most %v", hundredths, got)
		}
	}
	if percentile([]float64{}, 50) != 0 {
		t.Error("there is one of none")
	}
}

func TestSpreadOf(t *testing.T) {
	if got := spreadOf([]float64{3, 1, 2}, "%.0f"); got != "2 (1 to 3)" {
		t.Error(got)
	}
}
