package attribution

import (
	"slices"
	"sync"
)

// maxCallers bounds the list of callers: looking at that many processes takes
// about 1 ms.
const maxCallers = 16

// callers are the pids of processes that opened connections, the latest first.
// They are where to look next for the process behind another connection; who
// has such a pid now is for the one who looks to find out.
type callers struct {
	mu   sync.Mutex
	pids []int
}

func (c *callers) add(pid int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	rest := slices.DeleteFunc(c.pids, func(other int) bool { return other == pid })
	c.pids = slices.Insert(rest, 0, pid)
	c.pids = c.pids[:min(len(c.pids), maxCallers)]
}

func (c *callers) list() []int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.pids)
}
