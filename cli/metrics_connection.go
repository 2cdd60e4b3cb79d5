package cli

import (
	"context"
	"net"
	"slices"
)

// scrape is a connection of somebody who asks for the counts, or may.
type scrape struct {
	net.Conn
	ctx    context.Context // ends when it is to be answered that the capture is busy
	cancel context.CancelFunc
	asked  bool // its request was read
}

// enter takes a connection in, as soon as there is room. If there is none, one that hangs
// makes it: nobody waits for those who ask for nothing, or do not read what they get.
func (s *scrapes) enter(conn net.Conn) *scrape {
	s.mu.Lock()
	if len(s.open) == maxScrapes {
		s.longest().end()
	}
	s.mu.Unlock()
	s.room <- struct{}{}
	c := &scrape{Conn: conn}
	c.ctx, c.cancel = context.WithTimeout(context.Background(), scrapeWithin-scrapeAnswer)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.open = append(s.open, c)
	return c
}

// longest is the connection that has said nothing for the longest time; if all have asked,
// the one that has been open for the longest.
func (s *scrapes) longest() *scrape {
	return s.open[max(0, slices.IndexFunc(s.open, func(c *scrape) bool { return !c.asked }))]
}

// hasAsked says that the connection's request was read.
func (s *scrapes) hasAsked(c *scrape) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c.asked = true
}

// leave ends a connection, and makes room for another.
func (s *scrapes) leave(c *scrape) {
	c.end()
	s.mu.Lock()
	s.open = slices.DeleteFunc(s.open, func(other *scrape) bool { return other == c })
	s.mu.Unlock()
	<-s.room
}

// end has whoever serves it return.
func (c *scrape) end() {
	c.cancel()
	_ = c.Close()
}

// limit gives the connection the time that it has.
func (c *scrape) limit() error {
	deadline, _ := c.ctx.Deadline()
	return c.SetDeadline(deadline.Add(scrapeAnswer))
}
