package main

import "testing"

func TestTallyAdd(t *testing.T) {
	s := score{1, 2, 3}
	one := tally{4, 5, 6, found{s, 7, 8, 9}, s, s, s}
	sum := one
	sum.add(one)
	d := score{2, 4, 6}
	if sum != (tally{8, 10, 12, found{d, 14, 16, 18}, d, d, d}) {
		t.Errorf("%+v", sum)
	}
	if one.wrong() != 6 {
		t.Errorf("%d are wrong, not 6", one.wrong())
	}
}
