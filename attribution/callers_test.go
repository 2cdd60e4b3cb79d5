package attribution

import (
	"slices"
	"testing"
)

func TestCallers(t *testing.T) {
	var c callers
	if len(c.list()) != 0 {
		t.Error("callers before any call")
	}
	for _, pid := range []int{7, 8, 7, 9} {
		c.add(pid)
	}
	if got := c.list(); !slices.Equal(got, []int{9, 7, 8}) {
		t.Errorf("%v, want the latest first, each once", got)
	}
	for pid := range 2 * maxCallers {
		c.add(100 + pid)
	}
	if got := c.list(); len(got) != maxCallers || got[0] != 99+2*maxCallers {
		t.Errorf("%v, want the latest %d", got, maxCallers)
	}
}
