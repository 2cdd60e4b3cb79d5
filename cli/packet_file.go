package cli

import (
	"context"
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
	// saveAgain is how long after an error it is tried again to save packets, and how often
	// it is looked whether the file was deleted.
	saveAgain = time.Second
	// saveEndWithin is how long the log's last line waits for the last packets, of which it tells
	// how many are missing.
	saveEndWithin = time.Second
)

// packetFile is the pcapng file that packets are saved to. Each packet in which a
// request begins waits for the process behind it, which becomes its comment: that is
// done in a goroutine of its own, so that neither the capture nor the log waits.
type packetFile struct {
	name   string
	file   *os.File
	writer *capture.PcapngWriter // nil before there is anything to save, where files are read
	// lasting: the file is one that can be mended, of a live capture, which outlasts errors.
	lasting bool
	now     func() time.Time
	failed  error         // of the latest try, nil if packets are saved
	next    time.Time     // not before then is it tried again
	saved   uint64        // packets in the file
	missing atomic.Uint64 // packets that were not saved, or in a file that was deleted
	unfit   bool          // people know that there are packets that do not fit into the format
	// keeps reports at the end that nothing could be read: a file that was there stays as it was.
	keeps func() bool
	// lost is how many packets are known to be missing from what is saved, at the end.
	lost func() uint64
	// comment says who made the call that begins in a packet.
	comment func(attribution.Answer, *imds.Note) string
	batch   *savings // not sent yet
	queue   chan *savings
	spare   chan *savings // to use again
	room    *room         // for packets, until they are written
	ended   sync.Once     // nothing more is added
	done    chan struct{}
	tell    func(error)
	err     error // after which nothing more is saved, once done is closed
}

// toldError is an error that people were told of when it arose.
type toldError struct{ error }

func (e toldError) Unwrap() error { return e.error }

// openPacketFile opens the file, and leaves what is in it. Without a name it returns nil.
func openPacketFile(ctx context.Context, stderr io.Writer, name string) (*packetFile, error) {
	if name == "" {
		return nil, nil
	}
	file, err := openForReader(ctx, stderr, name, os.O_WRONLY|os.O_CREATE)
	if err != nil {
		return nil, fmt.Errorf("cannot save packets: %w", err)
	}
	// A file that was there before may have been open to others. Once privileges are given
	// up it may be another user's.
	if isRegular(file) {
		if err := file.Chmod(packetFileMode); err != nil {
			return nil, errors.Join(fmt.Errorf("cannot save packets: %w", err), file.Close())
		}
	}
	p := &packetFile{
		name: name, file: file, now: time.Now, room: newRoom(maxSaving), done: make(chan struct{}),
		batch: &savings{}, queue: make(chan *savings, maxSaving/savingOverhead), spare: make(chan *savings, maxSpareSaving),
	}
	p.lost = p.notSaved
	return p, nil
}

// begin writes the file's head, in the place of what was in it.
func (p *packetFile) begin() (err error) {
	if isRegular(p.file) {
		err = p.file.Truncate(0)
	}
	if err == nil {
		p.writer, err = capture.NewPcapngWriter(p.file, "imds-analyzer "+version())
	}
	return err
}

func isRegular(file *os.File) bool {
	info, err := file.Stat()
	return err == nil && info.Mode().IsRegular()
}

// add takes in a packet, to be written after the next flush at the latest.
func (p *packetFile) add(s *saving) {
	if p.batch.add(s); p.batch.size >= saveBatch {
		p.flush()
	}
}

// flush has what was added written. It is called whenever there is nothing more to take in for
// the moment.
func (p *packetFile) flush() {
	if p == nil || len(p.batch.packets) == 0 {
		return
	}
	p.room.take(p.batch.size)
	p.queue <- p.batch
	select {
	case p.batch = <-p.spare:
	default:
		p.batch = &savings{}
	}
}

// writeAll writes what is added until Close, and has an eye on the file.
func (p *packetFile) writeAll() {
	defer close(p.done)
	look := time.NewTicker(saveAgain)
	defer look.Stop()
	for {
		select {
		case batch, more := <-p.queue:
			if !more {
				return
			}
			p.write(batch.packets)
			p.reuse(batch)
		case <-look.C:
			p.look()
		}
	}
}

// reuse has what was written used again, but for what packets took that are larger than others.
func (p *packetFile) reuse(batch *savings) {
	p.room.give(batch.size)
	if cap(batch.data) > maxSpareBytes {
		return
	}
	batch.clear()
	select {
	case p.spare <- batch:
	default:
	}
}

// write writes packets. What cannot be written is counted, and tried again with other
// packets later; where what a failed write left cannot be cut off, nothing more is written.
func (p *packetFile) write(batch []saving) {
	if p.err != nil || p.failed != nil && p.now().Before(p.next) {
		p.missing.Add(uint64(len(batch)))
		return
	}
	switch packets, err := p.append(batch); {
	case err == nil && packets > 0:
		p.tellSuccess()
	case err == nil:
	case p.lasting:
		p.fail(err)
	default:
		p.err = toldError{fmt.Errorf("packets are no longer saved to %s: %w", p.name, err)}
		p.tell(p.err)
	}
}

// append writes packets where the last whole one ends, and returns how many.
func (p *packetFile) append(batch []saving) (packets int, err error) {
	if err = p.prepare(); err == nil {
		for i := range batch {
			p.encode(&batch[i])
		}
		packets, err = p.writer.Flush()
	}
	p.saved += uint64(packets)
	p.missing.Add(uint64(len(batch) - packets))
	return packets, err
}

// prepare makes the file one that can be written to.
func (p *packetFile) prepare() error {
	switch {
	case p.writer == nil:
		return p.begin()
	case p.failed != nil:
		return p.repair()
	}
	return nil
}

// encode gives a packet to the writer, with what is known of its process by the time that it
// is waited for.
func (p *packetFile) encode(s *saving) {
	if s.asks {
		s.Comment = p.comment(answerBy(s.pending, s.due), s.Note)
	}
	if err := p.writer.Add(&s.Packet); err != nil { // it does not fit
		p.tellUnfit(err)
	}
}

// repair makes the file one that can be written to again.
func (p *packetFile) repair() error {
	if logfile.IsDeleted(p.file) {
		return p.renew()
	}
	return p.mend()
}

// mend has the file end where its last whole packet does.
func (p *packetFile) mend() error {
	whole := p.writer.Whole()
	if err := p.file.Truncate(whole); err != nil {
		return err
	}
	_, err := p.file.Seek(whole, io.SeekStart)
	if err == nil {
		p.writer.Mended()
	}
	return err
}

// look has packets go to a new file if the one before was deleted. After an error the next
// packet does.
func (p *packetFile) look() {
	if !p.lasting || p.failed != nil || !logfile.IsDeleted(p.file) {
		return
	}
	if err := p.renew(); err != nil {
		p.fail(fmt.Errorf("it was deleted, and cannot be made anew: %w", err))
		return
	}
	p.tell(fmt.Errorf("%s was deleted: packets are saved to a new one, %s missing from it", p.name, countPackets(p.missing.Load())))
}

// renew makes a new file in the place of one that was deleted. What others have given the
// name to is theirs.
func (p *packetFile) renew() error {
	p.lose()
	to, err := openPlace(logfile.Target(p.name))
	if err != nil {
		return err
	}
	defer to.Close()
	file, err := to.directory.OpenFile(to.file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, packetFileMode)
	if err != nil {
		return err
	}
	anew := &packetFile{file: file}
	if err := anew.begin(); err != nil {
		return errors.Join(err, file.Close(), to.directory.Remove(to.file))
	}
	_ = p.file.Close() // nobody will read it
	p.file, p.writer = anew.file, anew.writer
	return nil
}

// lose counts what is in a file that was deleted.
func (p *packetFile) lose() {
	p.missing.Add(p.saved)
	p.saved = 0
}

// tellSuccess tells that packets are saved again.
func (p *packetFile) tellSuccess() {
	if p.failed != nil {
		p.failed = nil
		p.tell(fmt.Errorf("packets are saved to %s again, %s missing from it", p.name, countPackets(p.missing.Load())))
	}
}

// tellUnfit tells of the first packet that the format has no room for.
func (p *packetFile) tellUnfit(err error) {
	if !p.unfit {
		p.tell(fmt.Errorf("a packet is missing from %s: %w. All others are saved", p.name, err))
	}
	p.unfit = true
}

// fail has packets left out for a while, and tells that saving begins to fail.
func (p *packetFile) fail(err error) {
	p.next = p.now().Add(saveAgain)
	_ = p.mend() // or before the next packets
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
	switch n {
	case 0:
		return "no packet is"
	case 1:
		return "1 packet is"
	}
	return fmt.Sprintf("%d packets are", n)
}

// saveNothing makes the file a capture without packets, if there was something to read.
func (p *packetFile) saveNothing() error {
	if p.keeps() {
		return nil
	}
	if err := p.begin(); err != nil {
		return fmt.Errorf("cannot save packets to %s: %w", p.name, err)
	}
	return nil
}

// tellLost has the file say what is missing from it, for those who read it later. There may be
// room for that where there was none for the latest packets.
func (p *packetFile) tellLost() {
	n := p.lost()
	if p.writer == nil || p.err != nil || n == 0 || p.failed != nil && p.mend() != nil {
		return
	}
	// Half a block, where there is no room either, is better than a file that looks whole: who
	// reads it is told that it is cut off.
	if err := p.writer.WriteDrops(n, p.now()); err != nil && p.failed == nil { // else the latest packets are missing, which is told
		p.err = fmt.Errorf("cannot save packets to %s: %w", p.name, err)
	}
}

// end takes nothing more, and waits until what waits is written. A reader of a pipe who has
// stopped reading is not waited for: the log is to be whole all the same.
func (p *packetFile) end(within time.Duration) {
	if p == nil {
		return
	}
	go p.ended.Do(p.endQueue) // waits for room, where he has left none
	select {
	case <-p.done:
	case <-time.After(within):
	}
}

func (p *packetFile) endQueue() {
	p.flush()
	close(p.queue)
}

// Close writes what waits, closes the file and returns what went wrong.
func (p *packetFile) Close() error {
	p.ended.Do(p.endQueue)
	<-p.done
	if p.writer == nil && p.err == nil {
		p.err = p.saveNothing()
	}
	p.tellLost()
	deleted := p.lasting && logfile.IsDeleted(p.file)
	if deleted {
		p.lose()
	}
	if err := p.file.Close(); err != nil && p.err == nil {
		return fmt.Errorf("cannot save packets: %w", err)
	}
	switch n := p.missing.Load(); {
	case p.err != nil:
		return p.err
	case deleted:
		return missingError{fmt.Errorf("%s was deleted: %s missing from it", p.name, countPackets(n))}
	case n > 0:
		return missingError{fmt.Errorf("%s: %s missing, which could not be written or were in a file that was deleted", p.name, countPackets(n))}
	}
	return nil
}
