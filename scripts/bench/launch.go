package main

import "time"

// launch is an order for clients.
type launch struct {
	atOnce, count int
	first         int           // the number of the first client
	interval      time.Duration // between two starts; 0: none
	users         string        // uids that take turns, 0,1,65534
	command       []string
	within        time.Duration
}

// share is the order for the ith of some places, of which so many have clients at
// the same time.
func (o launch) share(i, places, width int) launch {
	begin, end := o.count*i/places, o.count*(i+1)/places
	o.first += begin
	o.count = end - begin
	o.atOnce = ceil(o.atOnce, width)
	return o
}
