package attribution

// maxSpots are remembered: more sockets than all of the young hold. 64 KiB.
const maxSpots = 1 << 10

// spot is where a socket was seen.
type spot struct {
	pid, descriptor int
}

// spots are the sockets that were seen by the way, when another one was looked
// for: theirs is looked for next as a rule, when many processes call at once.
type spots struct {
	byInode map[uint64]spot
}

func (s *spots) put(inode uint64, at spot) {
	if s.byInode == nil || len(s.byInode) >= maxSpots {
		s.byInode = make(map[uint64]spot)
	}
	s.byInode[inode] = at
}

// take returns where the socket was seen, and forgets it.
func (s *spots) take(inode uint64) (spot, bool) {
	at, ok := s.byInode[inode]
	delete(s.byInode, inode)
	return at, ok
}
