package carried

import (
	"imds-analyzer/attribution"
	"imds-analyzer/imds"
)

// darwin takes the process that Apple's system names. Its kernel keeps with each
// socket who has used it last (xnu, bsd/net/pktap.c), so that a packet that was sent
// has the pid of its sender: that is exact. One that came in has the receiver's.
//
// A service can act for another process, the "effective" one. The caller is the one
// with the socket, as everywhere; the other one is told, too.
func darwin(n *imds.Note) (attribution.Answer, bool) {
	s := &n.Sender
	if s.PID <= 0 || n.Inbound {
		return unknown, false
	}
	a := answer(attribution.Resolved, attribution.Process{PID: s.PID, Name: s.Name})
	if s.ForPID > 0 && s.ForPID != s.PID {
		a.OnBehalfOf = &attribution.Process{PID: s.ForPID, Name: s.ForName}
	}
	return a, true
}
