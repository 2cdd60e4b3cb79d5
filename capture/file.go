package capture

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync/atomic"
)

// fileRecordLimit bounds what has to be in memory at once: one packet or one
// pcapng block that is looked into. The longest packet that Linux hands out is
// 512 KiB (BIG TCP), so 16 MiB leaves room for every writer, while a length
// that is damaged is nearly always beyond it.
const fileRecordLimit = 16 << 20

// fileInput is what a capture is read from.
type fileInput struct {
	io.Reader
	name   string    // stands before errors, unless empty
	closer io.Closer // closed with the Source, unless nil
	whole  bool      // it is all there, and may be unpacked ahead
	// drops is where packets are counted that it says were lost, unless nil.
	drops *atomic.Uint64
}

// fileOpen returns the Source of what the input holds. If it fails, the input is not closed.
func fileOpen(in fileInput, sieve *Sieve) (*fileSource, error) {
	in.drops = cmp.Or(in.drops, new(atomic.Uint64))
	s := &fileSource{fileInput: in, buf: newFileBuffer(in), sifted: newSieving(sieve)}
	if err := s.recognise(); err != nil {
		s.stopAhead()
		return nil, s.inFile(err)
	}
	return s, nil
}

// fileSource is a Source of the packets of a capture file.
type fileSource struct {
	fileInput
	buf    *fileBuffer // what format reads, unpacked if the file is packed
	packed bool
	ahead  *fileAhead // unpacks ahead, nil if nothing does
	format fileFormat
	packet Packet // the last one, here so that none is allocated
	sifted sieving
	window int // of the compression, in bytes
}

// memory is about what reading the file takes, in bytes, but for what is unpacked ahead:
// that is the same for all.
func (s *fileSource) memory() int { return len(s.buf.data) + s.window }

// fileFormat reads the records of one format.
type fileFormat interface {
	// next fills in an empty packet with the next one that is not sifted out. The error is
	// io.EOF after the last one, io.ErrUnexpectedEOF if the input ends inside a record,
	// errJoined if another capture begins there, wraps ErrDamaged, or is the reader's.
	next(*Packet, *sieving) error
}

// errJoined: here begins another capture, as in what cat(1) has joined.
var errJoined = errors.New("another capture begins")

// Next implements Source.
func (s *fileSource) Next() (*Packet, error) {
	if err := s.advance(); err != nil {
		return nil, err
	}
	return &s.packet, nil
}

// advance makes the next packet the source's, with the errors of Next. Captures that were joined
// are read one after the other, each in its own format.
func (s *fileSource) advance() error {
	s.packet = Packet{}
	err := s.format.next(&s.packet, &s.sifted)
	for err == errJoined {
		if err = s.begin(); err == nil {
			err = s.format.next(&s.packet, &s.sifted)
		}
	}
	s.sifted.settle()
	if err != nil {
		return s.inFile(err)
	}
	return nil
}

// Close implements Source.
func (s *fileSource) Close() error {
	s.stopAhead()
	if s.closer == nil {
		return nil
	}
	return s.closer.Close()
}

// recognise finds the format by the input's first bytes.
func (s *fileSource) recognise() error {
	head, err := s.head()
	if err != nil {
		return err
	}
	if err = s.unpack(head); err != nil {
		return err
	}
	if s.packed {
		if _, err = s.head(); err != nil {
			return err
		}
	}
	return s.begin()
}

// begin has the capture read whose first bytes are held.
func (s *fileSource) begin() (err error) {
	switch head := s.buf.unread(); {
	case pcapIsMagic(head):
		s.format, err = newPcapFile(s.buf)
	case pcapngIsMagic(head):
		s.format, err = newPcapngFile(s.buf, s.drops)
	default:
		err = s.notCapture(head)
	}
	return err
}

// unpack puts an unpacker before what is packed, once.
func (s *fileSource) unpack(head []byte) error {
	switch {
	case fileIsGzip(head):
		s.readUnpacked(newFileGzip(s.buf))
	case fileIsZstd(head):
		unpacked, err := newFileZstd(s.buf)
		if err != nil {
			return err
		}
		s.readUnpacked(unpacked)
		s.window = unpacked.window
	default:
		return nil
	}
	s.packed = true
	return nil
}

// readUnpacked has the format read what an unpacker hands out.
func (s *fileSource) readUnpacked(unpacker io.Reader) {
	if s.whole {
		s.ahead = newFileAhead(unpacker)
		unpacker = s.ahead
	}
	s.buf = newFileBuffer(unpacker)
}

// stopAhead ends what is unpacked ahead.
func (s *fileSource) stopAhead() {
	if s.ahead != nil {
		_ = s.ahead.Close() // it has no error
		s.ahead = nil
	}
}

// fileHead is how many bytes tell each known format.
const fileHead = 4

// head returns the bytes that tell the format.
func (s *fileSource) head() ([]byte, error) {
	head, err := s.buf.peek(fileHead)
	switch {
	case err == io.EOF:
		return nil, fmt.Errorf("%w: it is empty", ErrNotCapture)
	case err == io.ErrUnexpectedEOF && !fileBeginsMagic(s.buf.unread()):
		return nil, s.notCapture(s.buf.unread())
	}
	return head, err
}

// notCapture says what begins with head instead of a capture.
func (s *fileSource) notCapture(head []byte) error {
	if s.packed {
		return fmt.Errorf("%w: unpacked, it %s", ErrNotCapture, fileLooksLike(head))
	}
	return fmt.Errorf("%w: it %s", ErrNotCapture, fileLooksLike(head))
}

// inFile says in which file and where in it err arose. The end of a whole
// file stays io.EOF.
func (s *fileSource) inFile(err error) error {
	switch {
	case err == io.EOF:
		return err
	case err == io.ErrUnexpectedEOF:
		err = s.at(ErrTruncated)
	case errors.Is(err, ErrTruncated), errors.Is(err, ErrDamaged):
		err = s.at(err)
	}
	var path *fs.PathError
	if s.name == "" || errors.As(err, &path) {
		return err
	}
	return fmt.Errorf("%s: %w", s.name, err)
}

// at adds to err how far the input could be read.
func (s *fileSource) at(err error) error {
	where := fmt.Sprintf("byte %d", s.buf.offset)
	if s.packed {
		where += " unpacked"
	}
	packets := s.sifted.packets
	return &BrokenError{packets, fmt.Errorf("%w (after packet %d, at %s)", err, packets, where)}
}

// BrokenError is ErrTruncated or ErrDamaged with the place in the input.
type BrokenError struct {
	// Packets is the number of packets before it, which are whole.
	Packets int
	err     error
}

func (e *BrokenError) Error() string { return e.err.Error() }

// Unwrap returns what wraps ErrTruncated or ErrDamaged.
func (e *BrokenError) Unwrap() error { return e.err }
