package attribution

import (
	"maps"
	"sync"
	"time"
)

const (
	// vainFor is how long nobody looks again for a socket that no process was
	// found to hold. The first packets of a connection that is not answered
	// come again after 1, 3 and 7 s (tcp_syn_retries, tcp(7)).
	vainFor = 10 * time.Second
	// maxVain sockets are remembered, 8 KiB.
	maxVain = 256
)

// vain are the sockets that were looked for in vain though they are open: those
// of the kernel, and of processes that cannot be seen. Looking takes 100 ms
// where there are 1,500 processes.
type vain struct {
	mu    sync.Mutex
	until map[uint64]time.Time // by inode
}

func (v *vain) has(inode uint64, now time.Time) bool {
	v.mu.Lock()
	defer v.mu.Unlock()
	return now.Before(v.until[inode])
}

func (v *vain) add(inodes []uint64, now time.Time) {
	v.mu.Lock()
	defer v.mu.Unlock()
	for _, inode := range inodes {
		if len(v.until) >= maxVain {
			maps.DeleteFunc(v.until, func(_ uint64, until time.Time) bool { return !now.Before(until) })
		}
		if v.until == nil || len(v.until) >= maxVain {
			v.until = make(map[uint64]time.Time)
		}
		v.until[inode] = now.Add(vainFor)
	}
}
