package capture

import (
	"errors"
	"io"
	"slices"
	"sync"
	"time"
)

// Feed reads several Sources, each in a goroutine of its own, and collects
// their packets for the one goroutine that owns the Analyzer.
type Feed struct {
	mu    sync.Mutex
	space *sync.Cond // there is room in filling
	// filling is what the readers add to, spare the batch that its owner has
	// handed back.
	filling, spare *Batch
	open           int
	taken          uint64 // packets, from all sources so far
	stopped        bool
	begin          chan struct{} // closed by Start
	ready          chan struct{}
}

// Batch is a run of packets.
type Batch struct {
	packets []Packet
	data    []byte
	ends    []int     // of each packet's bytes in data
	texts   int       // bytes of the packets' comments
	filled  time.Time // when much of its room was last needed
	// Errors are those with which sources ended, other than io.EOF.
	Errors []error
	// Ended is true if no source has anything more.
	Ended bool
}

// maxBatchBytes bounds a batch; with the spare one it is twice that. 1 MiB is
// a tenth of a second of 4,000 calls a second, with ten packets of 80 bytes each; the
// rest is for the kernel's buffer, which takes eight times that. A batch holds at least
// one packet, however large.
const maxBatchBytes = 1 << 20

// packetOverhead is what a packet costs beyond its data: a Packet of 136 bytes, and
// where its data ends.
const packetOverhead = 144

const (
	// idleBatchBytes is what an empty batch may keep for the next packets.
	idleBatchBytes = 256 << 10
	// idleBatchTime is for how long it may need little of more room than that: where
	// packets come without end it is filled well now and then, and to make the room again
	// and again takes more memory than to keep it.
	idleBatchTime = time.Second
)

// NewFeed makes ready to read the sources, from Start on. The readers have the
// priority of their threads when it returns, and need no privilege any more.
func NewFeed(sources ...Source) *Feed {
	f := &Feed{filling: &Batch{}, spare: &Batch{}, open: len(sources), begin: make(chan struct{}), ready: make(chan struct{}, 1)}
	f.space = sync.NewCond(&f.mu)
	var preparing sync.WaitGroup
	preparing.Add(len(sources))
	for _, s := range sources {
		go f.read(s, preparing.Done)
	}
	preparing.Wait()
	return f
}

// Add reads one more source, which is no handle of libpcap: it takes no thread
// of its own. It may be called at any time before Stop.
func (f *Feed) Add(s Source) {
	if kept, ok := s.(interface{ willBeRead() }); ok { // though Start may be behind its end
		kept.willBeRead()
	}
	f.mu.Lock()
	f.open++
	f.mu.Unlock()
	go f.readOn(s)
}

// Start begins to read. It is called once.
func (f *Feed) Start() { close(f.begin) }

// Ready receives when Take has something to give.
func (f *Feed) Ready() <-chan struct{} { return f.ready }

// Take returns what has come since the last Take, which must be done with.
func (f *Feed) Take() *Batch {
	f.mu.Lock()
	defer f.mu.Unlock()
	taken := f.filling
	taken.Ended = f.open == 0
	f.filling, f.spare = f.spare, taken
	f.filling.reset()
	f.space.Broadcast()
	return taken
}

// Stop makes the readers end once they have the packet they wait for.
func (f *Feed) Stop() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stopped = true
	f.space.Broadcast()
}

func (f *Feed) read(s Source, prepared func()) {
	if _, live := s.(LiveSource); live {
		hurry()
	}
	prepared()
	f.readOn(s)
}

func (f *Feed) readOn(s Source) {
	<-f.begin
	for {
		p, err := s.Next()
		if !f.add(p, err) {
			return
		}
		select {
		case f.ready <- struct{}{}:
		default: // the owner knows already
		}
		if err != nil {
			return
		}
	}
}

// add copies the packet. It reports false if the feed was stopped.
func (f *Feed) add(p *Packet, err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		f.open--
		if !errors.Is(err, io.EOF) {
			f.filling.Errors = append(f.filling.Errors, err)
		}
		return true
	}
	for f.filling.size() >= maxBatchBytes && !f.stopped {
		f.space.Wait()
	}
	if f.stopped {
		return false
	}
	f.filling.add(p)
	f.taken++
	return true
}

// Packets is how many were read so far. Take has handed them out, or will.
func (f *Feed) Packets() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.taken
}

// size is the memory that the batch takes.
func (b *Batch) size() int { return len(b.data) + b.texts + len(b.packets)*packetOverhead }

// room is the size to which it grows without new memory, about.
func (b *Batch) room() int { return cap(b.data) + cap(b.packets)*packetOverhead }

func (b *Batch) add(p *Packet) {
	b.data = append(b.data, p.Data...)
	b.ends = append(b.ends, len(b.data))
	b.texts += len(p.Comment)
	b.packets = append(b.packets, *p)
	b.packets[len(b.packets)-1].Data = nil
}

// reset empties the batch. Once bursts are over, it gives the memory back.
func (b *Batch) reset() {
	if b.room() > idleBatchBytes {
		switch now := time.Now(); {
		case b.size() >= b.room()/4:
			b.filled = now
		case now.Sub(b.filled) > idleBatchTime:
			*b = Batch{}
		}
	}
	b.packets, b.data, b.ends, b.texts, b.Errors = b.packets[:0], b.data[:0], b.ends[:0], 0, nil
}

// Before reports whether a packet of the batch was captured before that time.
func (b *Batch) Before(t time.Time) bool {
	return slices.ContainsFunc(b.packets, func(p Packet) bool { return p.Time.Before(t) })
}

// Packets calls visit for each packet, in order. It is valid until visit returns.
func (b *Batch) Packets(visit func(*Packet)) {
	from := 0
	for i := range b.packets {
		p := &b.packets[i]
		p.Data = b.data[from:b.ends[i]:b.ends[i]]
		visit(p)
		p.Data, from = nil, b.ends[i]
	}
}
