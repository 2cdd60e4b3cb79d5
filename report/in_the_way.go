package report

import "imds-analyzer/output"

// inTheWay are calls that are in the way of switching version 1 off, or may be. Those that
// were refused are blocking, too.
type inTheWay struct{ blocking, refused, unclear, elsewhere uint64 }

// inTheWayOf are those that the entry stands for.
func inTheWayOf(e *output.Entry) inTheWay {
	n := e.Calls()
	switch standingOf(e) {
	case blocking:
		return inTheWay{blocking: n}
	case refused:
		return inTheWay{blocking: n, refused: n}
	case unclear:
		return inTheWay{unclear: n}
	case elsewhere:
		return inTheWay{elsewhere: n}
	}
	return inTheWay{}
}

func (c *inTheWay) merge(o inTheWay) {
	c.blocking = sum(c.blocking, o.blocking)
	c.refused = sum(c.refused, o.refused)
	c.unclear = sum(c.unclear, o.unclear)
	c.elsewhere = sum(c.elsewhere, o.elsewhere)
}

// without leaves out some of them.
func (c inTheWay) without(o inTheWay) inTheWay {
	return inTheWay{less(c.blocking, o.blocking), less(c.refused, o.refused), less(c.unclear, o.unclear), less(c.elsewhere, o.elsewhere)}
}

func (c inTheWay) all() uint64 { return sum(c.blocking, sum(c.unclear, c.elsewhere)) }
