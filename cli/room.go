package cli

import "sync"

// room is so many bytes for what waits. One thing has room however large.
type room struct {
	mu        sync.Mutex
	given     *sync.Cond
	free, all int
}

func newRoom(bytes int) *room {
	r := &room{free: bytes, all: bytes}
	r.given = sync.NewCond(&r.mu)
	return r
}

// take waits until there is room.
func (r *room) take(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for r.free < bytes && r.free < r.all {
		r.given.Wait()
	}
	r.free -= bytes
}

func (r *room) give(bytes int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.free += bytes
	r.given.Signal()
}
