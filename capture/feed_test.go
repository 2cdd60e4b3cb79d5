package capture

import (
	"errors"
	"io"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// onePacket is a Source, which says that it is read.
type onePacket struct {
	read chan struct{}
	done bool
}

func (s *onePacket) Next() (*Packet, error) {
	s.read <- struct{}{}
	if s.done {
		return nil, io.EOF
	}
	s.done = true
	return &Packet{Data: []byte("x")}, nil
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
		batch.Packets(func(*Packet) { packets++ })
		ended = batch.Ended
	}
	f.Stop()
	if packets != 2 || len(first.read) != 2 || len(second.read) != 2 {
		t.Errorf("%d packets", packets)
	}
}

// manyPackets is a Source of as many packets as are sent to it, each with its
// number as its Length. It ends when it is closed.
type manyPackets chan int

func (s manyPackets) Next() (*Packet, error) {
	n, ok := <-s
	if !ok {
		return nil, io.EOF
	}
	return &Packet{Length: n}, nil
}

func (s manyPackets) Close() error { return nil }

// checkTaken makes sure that the feed has these packets once its readers wait.
func checkTaken(t *testing.T, f *Feed, ended bool, want ...int) {
	t.Helper()
	synctest.Wait()
	var got []int
	batch := f.Take()
	batch.Packets(func(p *Packet) { got = append(got, p.Length) })
	if !slices.Equal(got, want) || batch.Ended != ended {
		t.Errorf("packets %v, ended %v; want %v, %v", got, batch.Ended, want, ended)
	}
}

// Sources can be added whenever, and are read from Start on. The feed ends with
// the last of them.
func TestFeedAdd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first, early, late := make(manyPackets, 1), make(manyPackets, 1), make(manyPackets, 1)
		f := NewFeed(first)
		f.Add(early)
		early <- 1
		checkTaken(t, f, false)
		f.Start()
		checkTaken(t, f, false, 1)
		first <- 2
		checkTaken(t, f, false, 2)
		f.Add(late)
		close(first)
		close(early)
		checkTaken(t, f, false)
		late <- 3
		checkTaken(t, f, false, 3)
		close(late)
		checkTaken(t, f, true)
	})
}

// How a source ends that was added is told like any other's.
func TestFeedAddFails(t *testing.T) {
	f := NewFeed()
	f.Start()
	f.Add(failing{})
	<-f.Ready()
	if batch := f.Take(); len(batch.Errors) != 1 || !errors.Is(batch.Errors[0], errBlock) || !batch.Ended {
		t.Errorf("errors %v, ended %v", batch.Errors, batch.Ended)
	}
}

type failing struct{}

func (failing) Next() (*Packet, error) { return nil, errBlock }
func (failing) Close() error           { return nil }

// A feed that was stopped takes nothing more, also of a source that comes late:
// its reader ends with the packet that it waits for.
func TestFeedAddAfterStop(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := NewFeed()
		f.Start()
		f.Stop()
		late := make(manyPackets, 2)
		f.Add(late)
		late <- 1
		late <- 2
		checkTaken(t, f, false)
		if len(late) != 1 {
			t.Errorf("%d packets are not read, want 1", len(late))
		}
	})
}

// Comments count towards what a batch may hold.
func TestBatchCountsComments(t *testing.T) {
	var b Batch
	b.add(&Packet{Data: []byte("abc"), Comment: "comment"})
	if want := 3 + len("comment") + packetOverhead; b.size() != want {
		t.Errorf("size %d, not %d", b.size(), want)
	}
	if b.reset(); b.size() != 0 {
		t.Errorf("empty, its size is %d", b.size())
	}
}

// A batch keeps its room while packets come without end, also if few of them come at once
// now and then, and gives it back once that is over.
func TestBatchKeepsItsRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Batch
		well, little := &Packet{Data: make([]byte, maxBatchBytes)}, &Packet{Data: make([]byte, 100)}
		b.add(well)
		b.reset()
		for i := range 100 {
			time.Sleep(idleBatchTime / 4)
			b.add(little)
			if i%3 == 0 {
				b.add(well)
			}
			if b.reset(); b.room() < maxBatchBytes {
				t.Fatalf("room for %d bytes after %d batches", b.room(), i)
			}
		}
		time.Sleep(2 * idleBatchTime)
		b.add(little)
		if b.reset(); b.room() > 0 {
			t.Errorf("room for %d bytes is kept", b.room())
		}
	})
}
