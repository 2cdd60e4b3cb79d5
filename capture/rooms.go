package capture

// maxRooms bounds the rooms that wait for another request: 64 KiB.
const maxRooms = 1 << 8

// takeRoom returns room for a request that waits for its answer, as nearly all do alone:
// it is a third of what the requests of a file take otherwise. It is nil if none is kept.
func (a *Analyzer) takeRoom() []pendingCall {
	last := len(a.rooms) - 1
	if last < 0 {
		return nil
	}
	room := a.rooms[last]
	a.rooms = a.rooms[:last]
	return room
}

// keepRoom keeps the room of the only request in it for another one.
func (a *Analyzer) keepRoom(room []pendingCall) {
	if cap(room) == 1 && len(a.rooms) < maxRooms {
		clear(room)
		a.rooms = append(a.rooms, room[:0])
	}
}
