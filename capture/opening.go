package capture

// opening is what waits of a connection's beginning, and of that of another one in its
// place.
type opening struct {
	// early are the segments of a connection whose SYN was not seen, as long
	// as it or earlier segments may still come out of order.
	early []segment
	// onSYN is what came with the client's SYN, until it is known whether the
	// service has taken it; nil if nothing did.
	onSYN *chunk
	// rival is a SYN that came while the connection was open, nil if none did; quiet is true
	// if nothing else did shortly before it.
	rival *segment
	quiet bool
}

// begins returns where to keep what waits of the beginning.
func (f *flow) begins() *opening {
	if f.opening == nil {
		f.opening = &opening{}
	}
	return f.opening
}

func (f *flow) early() []segment {
	if f.opening == nil {
		return nil
	}
	return f.opening.early
}

func (f *flow) onSYN() *chunk {
	if f.opening == nil {
		return nil
	}
	return f.opening.onSYN
}

func (f *flow) rival() *segment {
	if f.opening == nil {
		return nil
	}
	return f.opening.rival
}

// buffered is what the opening takes of the budget.
func (o *opening) buffered() (n int) {
	if o == nil {
		return 0
	}
	if o.onSYN != nil {
		n = len(o.onSYN.data)
	}
	if o.rival != nil {
		n += len(o.rival.payload)
	}
	for i := range o.early {
		n += len(o.early[i].payload) + segmentOverhead
	}
	return n
}
