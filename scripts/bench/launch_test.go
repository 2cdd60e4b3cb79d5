package main

import "testing"

// Places share the clients out: each client is started once, and there are as
// many at once as were ordered, or a few more.
func TestShare(t *testing.T) {
	for _, test := range []struct{ atOnce, count, places int }{{1, 9, 1}, {1, 9, 4}, {8, 96, 4}, {32, 32, 5}, {8, 3, 4}, {3, 100, 4}} {
		whole := launch{atOnce: test.atOnce, count: test.count, users: "0"}
		width, next := min(test.atOnce, test.places), 0
		for i := range test.places {
			part := whole.share(i, test.places, width)
			if part.first != next || part.count < test.count/test.places || part.users != "0" {
				t.Errorf("%+v: the share %d is %+v", test, i, part)
			}
			if sum := part.atOnce * width; sum < test.atOnce || sum >= test.atOnce+width {
				t.Errorf("%+v: %d at once", test, sum)
			}
			next += part.count
		}
		if next != test.count {
			t.Errorf("%+v: there are %d clients", test, next)
		}
	}
}
