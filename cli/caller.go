package cli

import (
	"imds-analyzer/attribution"
	"imds-analyzer/carried"
	"imds-analyzer/identity"
	"imds-analyzer/imds"
	"imds-analyzer/output"
)

// caller says who made a call: the process that was found, with what it belongs to,
// or what a capture file itself tells.
func (j *join) caller(found attribution.Answer, n *imds.Note) (attribution.Answer, identity.Identity) {
	switch {
	case found.Process != nil:
		return found, j.identifier.Identify(found.Process)
	case found.Status == attribution.Offline && n != nil:
		return told(n)
	}
	return found, identity.Identity{}
}

// told is what a capture file tells: what a run of this program found when it saved
// the packet, or what others have written.
func told(n *imds.Note) (attribution.Answer, identity.Identity) {
	if a, i, ok := output.ReadComment(n.Comment); ok {
		return a, i
	}
	return carried.Caller(n)
}

// comments is what saved packets say of callers. It is of the goroutine that saves them.
type comments struct {
	join    *join
	callers output.Callers
}

// of is the comment of the packet in which a caller's request begins.
func (c *comments) of(found attribution.Answer, n *imds.Note) string {
	a, i := c.join.caller(found, n)
	comment := c.callers.Comment(&a, &i)
	if comment == "" && n != nil {
		return output.NoCaller()
	}
	return comment
}
