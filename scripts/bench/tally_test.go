package main

import "testing"

func TestTallyAdd(t *testing.T) {
	s := score{1, 2, 3}
	one := tally{4, 5, 6, found{s, 7, 8, 9}, s, s, s, s}
	sum := one
	sum.add(one)
	d := score{2, 4, 6}
	if sum != (tally{8, 10, 12, found{d, 14, 16, 18}, d, d, d, d}) {
		t.Errorf("%+v", sum)
	}
	if one.wrong() != 14 { // 2 of each but the executable, and 6 twice
		t.Errorf("%d are wrong, not 14", one.wrong())
	}
}
