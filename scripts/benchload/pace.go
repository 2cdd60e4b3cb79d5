package main

import "time"

// pace says when what is done at a steady rate is due, however long each takes: who
// is late does not wait, until all that was due is done.
type pace struct {
	begin    time.Time
	interval time.Duration
}

// due is when the nth is, from 0 on.
func (p pace) due(n int) time.Time { return p.begin.Add(time.Duration(n) * p.interval) }

// wait is how long it is until then; 0 for who is late.
func (p pace) wait(n int, now time.Time) time.Duration { return max(0, p.due(n).Sub(now)) }
