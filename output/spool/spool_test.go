package spool

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"syscall"
	"testing"
	"time"
)

// disk takes so many lines, and then fails.
type disk struct {
	bytes.Buffer
	room  int
	tries int
}

func (d *disk) Write(lines []byte) (n int, err error) {
	d.tries++
	for line := range bytes.Lines(lines) {
		if d.room == 0 {
			return n, syscall.ENOSPC
		}
		d.room--
		written, _ := d.Buffer.Write(line)
		n += written
	}
	return n, nil
}

// clock is a time that is set.
type clock struct{ time.Time }

func (c *clock) passes(d time.Duration) { c.Time = c.Add(d) }

func newTest(room int) (*Spool, *disk, *clock) {
	d, c := &disk{room: room}, &clock{time.Unix(1_800_000_000, 0)}
	s := New(d, func(missing uint64) []byte { return fmt.Appendf(nil, "gap %d\n", missing) }, 0)
	s.now = func() time.Time { return c.Time }
	return s, d, c
}

const plenty = 1 << 30

// write writes some lines at once.
func write(t *testing.T, s *Spool, lines ...string) {
	t.Helper()
	text := strings.Join(lines, "\n") + "\n"
	if n, err := s.Write([]byte(text)); n != len(text) || err != nil {
		t.Fatalf("%d bytes of %d, %v", n, len(text), err)
	}
}

func check(t *testing.T, d *disk, want ...string) {
	t.Helper()
	if got := strings.Fields(strings.ReplaceAll(d.String(), " ", "_")); strings.Join(got, " ") != strings.Join(want, " ") {
		t.Errorf("written are %q, want %q", got, want)
	}
}

func TestLinesPassThrough(t *testing.T) {
	s, d, _ := newTest(plenty)
	write(t, s, "a", "b")
	check(t, d, "a", "b")
	write(t, s, "c")
	check(t, d, "a", "b", "c")
	if s.Due() != 0 || s.Err() != nil || s.Missing() != 0 || s.Close() != nil {
		t.Errorf("%+v", s)
	}
}

// A disk that is full is tried once a second, and each line is written once and in order.
func TestLinesWaitForRoom(t *testing.T) {
	s, d, c := newTest(2)
	write(t, s, "a", "b", "c")
	write(t, s, "d")
	check(t, d, "a", "b")
	if !errors.Is(s.Err(), syscall.ENOSPC) || s.Due() != RetryEvery {
		t.Errorf("error %v, due in %v", s.Err(), s.Due())
	}
	tries := d.tries
	c.passes(RetryEvery - 1)
	s.Flush()
	write(t, s, "e")
	if d.tries != tries {
		t.Errorf("tried %d times within the time", d.tries-tries)
	}
	d.room = 2
	c.passes(1)
	s.Flush()
	check(t, d, "a", "b", "c", "d")
	d.room = plenty
	c.passes(RetryEvery)
	write(t, s, "f")
	check(t, d, "a", "b", "c", "d", "e", "f")
	if s.Due() != 0 || s.Err() != nil || s.Missing() != 0 || s.size != 0 {
		t.Errorf("%+v", s)
	}
}

// What there is no room for is told where it is missing, once.
func TestGap(t *testing.T) {
	s, d, c := newTest(1)
	write(t, s, "first")
	long := strings.Repeat("x", maxWaiting/8-1)
	for range 10 { // eight of them have room
		write(t, s, long)
	}
	write(t, s, "last")
	if s.Missing() != 3 || s.size > maxWaiting {
		t.Fatalf("%d are missing, %d bytes wait", s.Missing(), s.size)
	}
	d.room = plenty
	c.passes(RetryEvery)
	s.Flush()
	check(t, d, "first", "gap_3", long, long, long, long, long, long, long, "last")
	write(t, s, "more")
	if got := d.String(); strings.Count(got, "gap") != 1 || !strings.HasSuffix(got, "\nlast\nmore\n") {
		t.Errorf("it ends with %q", got[max(0, len(got)-40):])
	}
}

// There is room for the line that tells of the gap and for nothing else, and more is lost.
func TestGapGrows(t *testing.T) {
	s, d, c := newTest(0)
	long := strings.Repeat("x", maxWaiting-1)
	write(t, s, "a")
	write(t, s, long)
	d.room = 1
	c.passes(RetryEvery)
	s.Flush()
	check(t, d, "gap_1")
	write(t, s, long)
	write(t, s, long)
	d.room = plenty
	c.passes(RetryEvery)
	s.Flush()
	check(t, d, "gap_1", "gap_3", long)
}

// Of lines that came together some can be dropped.
func TestDropsLineByLine(t *testing.T) {
	s, d, c := newTest(0)
	write(t, s, "a", "b", strings.Repeat("x", maxWaiting-4))
	if s.Missing() != 1 || s.size > maxWaiting {
		t.Errorf("%d are missing, %d bytes wait", s.Missing(), s.size)
	}
	d.room = plenty
	c.passes(RetryEvery)
	s.Flush()
	if !strings.HasPrefix(d.String(), "gap 1\nb\nxxx") {
		t.Errorf("written is %.20q", d.String())
	}
}

func TestMissingBefore(t *testing.T) {
	s, d, _ := newTest(plenty)
	s.lost = 1
	write(t, s, "a")
	write(t, s, "b")
	check(t, d, "gap_1", "a", "b")
}

func TestMissingSince(t *testing.T) {
	s, d, _ := newTest(plenty)
	write(t, s, "a")
	s.Lacks(2)
	write(t, s, "b")
	s.Lacks(0)
	write(t, s, "c")
	check(t, d, "a", "gap_2", "b", "c")
	if s.Missing() != 2 {
		t.Errorf("%d are missing", s.Missing())
	}
}

func TestClose(t *testing.T) {
	for _, room := range []int{0, 1, plenty} {
		s, d, _ := newTest(0)
		write(t, s, "a", "b")
		write(t, s, "c")
		d.room = room
		err := s.Close()
		lost := 3 - min(3, room)
		if s.Missing() != uint64(lost) || (err != nil) != (lost > 0) || bytes.Count(d.Bytes(), []byte("\n")) != 3-lost {
			t.Errorf("room for %d: %d are missing, %v, written is %q", room, s.Missing(), err, d)
		}
	}
}
