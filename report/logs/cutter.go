package logs

import (
	"bytes"
	"errors"
	"io"
	"slices"
)

const (
	// readBytes is how much is asked of the input at once: some 45 entries, so that
	// handing batches from one goroutine to the other does not show.
	readBytes = 64 << 10
	// maxLine bounds a line in bytes. An entry has at most some 100 KiB: arguments
	// and those of its ancestors, which are cut where they come from. Others wrap it
	// in JSON of their own, which doubles what is escaped in it.
	maxLine = 1 << 20
	// maxEmptyReads is how often in a row the input may return nothing and no error,
	// as bufio has it.
	maxEmptyReads = 100
)

// errLong: a line is longer than an entry can be.
var errLong = errors.New("it is longer than 1 MiB, which no entry is")

// cutter cuts a log into batches of whole lines: those that one read has brought to
// their end, so that what comes slowly is not held back.
type cutter struct {
	in      io.Reader
	rest    []byte // the beginning of a line whose end was not read yet
	lines   int    // that were handed out
	passing bool   // over the rest of a line that is too long
}

// next fills a batch. With an error, which is io.EOF at the end, it is the last one.
func (c *cutter) next(b *batch) error {
	b.reset(c.lines + 1)
	b.text = append(b.text, c.rest...)
	c.rest = c.rest[:0]
	for {
		fresh := len(b.text)
		err := c.read(b)
		if c.passing { // then there was nothing before
			c.pass(b)
			fresh = 0
		}
		end := bytes.LastIndexByte(b.text[fresh:], '\n') + 1
		switch {
		case err != nil:
			return err // with all that there is
		case end > 0:
			c.keep(b, fresh+end)
			return nil
		case len(b.text) > maxLine:
			c.passOver(b)
			return nil
		}
	}
}

// read appends what one read returns.
func (c *cutter) read(b *batch) error {
	b.text = slices.Grow(b.text, readBytes)
	had := len(b.text)
	for range maxEmptyReads {
		n, err := c.in.Read(b.text[had : had+readBytes])
		if n > 0 || err != nil {
			b.text = b.text[:had+n]
			return err
		}
	}
	return io.ErrNoProgress
}

// keep leaves to the next batch what begins a line that goes on.
func (c *cutter) keep(b *batch, end int) {
	c.rest = append(c.rest, b.text[end:]...)
	b.text = b.text[:end]
	c.lines += bytes.Count(b.text, []byte{'\n'})
}

// passOver makes a batch of a line that is too long: of what it holds nothing is kept.
func (c *cutter) passOver(b *batch) {
	b.text = b.text[:0]
	b.long = true
	c.passing = true
	c.lines++
}

// pass drops what belongs to such a line.
func (c *cutter) pass(b *batch) {
	_, after, ended := bytes.Cut(b.text, []byte{'\n'})
	b.text = append(b.text[:0], after...)
	c.passing = !ended
}
