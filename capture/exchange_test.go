package capture

import (
	"testing"

	"imds-analyzer/imds"
)

// The room of a request that was answered is used again, and holds nothing of it. That of
// several is not kept, nor is there ever much.
func TestRoomsAreUsedAgain(t *testing.T) {
	a := &Analyzer{}
	if a.takeRoom() != nil {
		t.Error("there is room before any was kept")
	}
	one := make([]pendingCall, 1)
	one[0].request = imds.Request{Target: "/latest/meta-data/"}
	a.keepRoom(one)
	a.keepRoom(make([]pendingCall, 1, 2))
	room := a.takeRoom()
	if len(room) != 0 || cap(room) != 1 || &room[:1][0] != &one[0] || one[0].request.Target != "" {
		t.Errorf("the room is for %d, and has %+v", cap(room), one)
	}
	if a.takeRoom() != nil {
		t.Error("room for several is kept")
	}
	for range maxRooms + 1 {
		a.keepRoom(make([]pendingCall, 1))
	}
	if len(a.rooms) != maxRooms {
		t.Errorf("%d rooms are kept", len(a.rooms))
	}
}
