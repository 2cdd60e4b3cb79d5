package capture

import (
	"io"
	"testing"
)

// onePacket is a Source, which says that it is read.
type onePacket struct {
	read chan struct{}
	done bool
}

func (s *onePacket) Next() (Packet, error) {
	s.read <- struct{}{}
	if s.done {
		return Packet{}, io.EOF
	}
	s.done = true
	return Packet{Data: []byte("x")}, nil
}

func (s *onePacket) Close() error { return nil }

// Nothing is read before Start, however ready the readers are.
func TestFeedReadsFromStartOn(t *testing.T) {
	first, second := &onePacket{read: make(chan struct{}, 2)}, &onePacket{read: make(chan struct{}, 2)}
	f := NewFeed(first, second)
	if f.Take().Ended || len(first.read)+len(second.read) > 0 {
		t.Fatal("it has read before it was started")
	}
	f.Start()
	packets := 0
	for ended := false; !ended; {
		<-f.Ready()
		batch := f.Take()
		batch.Packets(func(Packet) { packets++ })
		ended = batch.Ended
	}
	f.Stop()
	if packets != 2 || len(first.read) != 2 || len(second.read) != 2 {
		t.Errorf("%d packets", packets)
	}
}
