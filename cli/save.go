package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/imds"
	"imds-analyzer/output/logfile"
)

const (
	// packetFileMode: only the owner may read what was captured.
	packetFileMode = 0o600
	// saveWait is how long a packet waits for the process of its connection.
	saveWait = answerWait
	// maxSaving and maxSavingBytes bound the packets that wait to be saved: 0.8 s
	// of 1,000 calls a second with ten packets each, and as much as waits to be
	// masked. Beyond it capture waits too.
	maxSaving      = 8 << 10
	maxSavingBytes = 8 << 20
	// saveAgain is how long after an error it is tried again to save packets.
	saveAgain = time.Second
)

// packetFile is the pcapng file that packets are saved to. Each packet in which a
// request begins waits for the process behind it, which becomes its comment: that is
// done in a goroutine of its own, so that neither the capture nor the log waits.
type packetFile struct {
	name   string
	file   *os.File
	blocks *wholeBlocks
	writer *capture.PcapngWriter
	// lasting: the file is one that can be mended, of a live capture, which outlasts errors.
	lasting bool
	now     func() time.Time
	failed  error         // of the latest try, nil if packets are saved
	next    time.Time     // not before then is it tried again
	missing atomic.Uint64 // packets that were not saved
	// comment says who made the call that begins in a packet.
	comment func(attribution.Answer, *imds.Note) string
	queue   chan saving
	room    *room
	done    chan struct{}
	tell    func(error)
	err     error // after which nothing more is saved, once done is closed
}

// toldError is an error that people were told of when it arose.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// saving is a packet on its way to the file. Pending is nil if no request begins in it.
type saving struct {
	capture.Saved
	pending *attribution.Pending
	due     time.Time
}

// size is the memory that it takes while it waits.
func (s *saving) size() int { return len(s.Data) + s.Note.Size() }

// noFile is where nothing is saved.
type noFile struct{}

func (noFile) Close() error { return nil }

// savePackets makes the Analyzer save its packets to the file that the options
// name, replacing an earlier one. Without a name nothing is saved.
func (s *session) savePackets() (io.Closer, error) {
	p := s.packets
	if p == nil {
		return noFile{}, nil
	}
	if err := p.begin(); err != nil {
		return nil, errors.Join(err, p.file.Close())
	}
	p.comment = s.join.comment
	p.lasting = s.options.live() && isRegular(p.file)
	p.tell = func(err error) { say(s.streams.Err, "%s", err) }
	go p.writeAll()
	s.analyzer.SaveTo(func(packet capture.Saved) {
		pending := s.join.pending[packet.Conn]
		if !packet.Begins {
			pending = nil
		}
		p.add(saving{packet, pending, time.Now().Add(saveWait)})
	})
	return p, nil
}

// openPacketFile opens the file, and leaves what is in it. Without a name it returns nil.
func openPacketFile(name string) (*packetFile, error) {
	if name == "" {
		return nil, nil
	}
	file, err := logfile.Guarded(name, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("cannot save packets: %w", err)
	}
	// A file that was there before may have been open to others.
	if isRegular(file) {
		if err := file.Chmod(packetFileMode); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot save packets: %w", err), file.Close())
		}
	}
	return &packetFile{
		name: name, file: file, blocks: &wholeBlocks{file: file}, now: time.Now,
		queue: make(chan saving, maxSaving), room: newRoom(maxSavingBytes), done: make(chan struct{}),
	}, nil
}

// begin writes the file's head, in the place of what was in it.
func (p *packetFile) begin() (err error) {
	if isRegular(p.file) {
		err = p.file.Truncate(0)
	}
	if err == nil {
		p.writer, err = capture.NewPcapngWriter(p.blocks, "imds-analyzer "+version())
	}
	if err != nil {
		return fmt.Errorf("cannot save packets to %s: %w", p.name, err)
	}
	return nil
}

func isRegular(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}

func (p *packetFile) add(s saving) {
	p.room.take(s.size())
	p.queue <- s
}

// writeAll writes what is added until Close.
func (p *packetFile) writeAll() {
	defer close(p.done)
	for s := range p.queue {
		if p.err == nil {
			p.write(s)
		}
		p.room.give(s.size())
	}
}

// write writes a packet. What cannot be written is counted, and tried again with another
// packet later; where what a failed write left cannot be cut off, nothing more is written.
func (p *packetFile) write(s saving) {
	if p.failed != nil && p.now().Before(p.next) {
		p.missing.Add(1)
		return
	}
	if s.pending != nil {
		s.Comment = p.comment(answerBy(s.pending, s.due), s.Note)
	}
	switch err := p.append(s.Packet); {
	case err != nil && !p.lasting:
		p.err = toldError{fmt.Errorf("packets are no longer saved to %s: %w", p.name, err)}
		p.tell(p.err)
	case err != nil:
		p.missing.Add(1)
		p.next = p.now().Add(saveAgain)
		p.tellFailure(err)
	case p.failed != nil:
		p.failed = nil
		p.tell(fmt.Errorf("packets are saved to %s again, %s missing from it", p.name, countPackets(p.missing.Load())))
	}
}

// append writes a packet where the last whole one ends.
func (p *packetFile) append(packet capture.Packet) error {
	if p.failed != nil {
		if err := p.blocks.mend(); err != nil {
			return err
		}
		p.writer.Mended()
	}
	return p.writer.WritePacket(packet)
}

// tellFailure tells that saving begins to fail.
func (p *packetFile) tellFailure(err error) {
	_ = p.blocks.mend() // or before the next packet
	if p.failed == nil {
		p.tell(fmt.Errorf("packets cannot be saved to %s: %w. The capture goes on, and it is tried again every %v", p.name, err, saveAgain))
	}
	p.failed = err
}

// notSaved is how many packets are missing from the file.
func (p *packetFile) notSaved() uint64 {
	if p == nil {
		return 0
	}
	return p.missing.Load()
}

func countPackets(n uint64) string {
	if n == 1 {
		return "1 packet is"
	}
	return fmt.Sprintf("%d packets are", n)
}

// wholeBlocks is a file to which each Write adds a whole block, or, when it is mended,
// nothing.
type wholeBlocks struct {
	file *os.File
	size int64 // of what is whole
}

// Write implements io.Writer.
func (b *wholeBlocks) Write(block []byte) (int, error) {
	n, err := b.file.Write(block)
	if err == nil {
		b.size += int64(n)
	}
	return n, err
}

// mend cuts off what a failed Write has left.
func (b *wholeBlocks) mend() error {
	if err := b.file.Truncate(b.size); err != nil {
		return err
	}
	_, err := b.file.Seek(b.size, io.SeekStart)
	return err
}

// Close writes what waits, closes the file and returns what went wrong.
func (p *packetFile) Close() error {
	close(p.queue)
	<-p.done
	if err := p.file.Close(); err != nil && p.err == nil {
		return fmt.Errorf("cannot save packets: %w", err)
	}
	if n := p.missing.Load(); n > 0 && p.err == nil {
		return missingError{fmt.Errorf("%s: %s missing, of a time when it could not be written", p.name, countPackets(n))}
	}
	return p.err
}

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
