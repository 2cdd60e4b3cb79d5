package attribution

import "time"

// NewOffline returns the Resolver for capture files, which have no kernel to ask.
func NewOffline() Resolver { return offline{answered(Answer{Status: Offline})} }

// offline has one answer for all.
type offline struct{ pending *Pending }

func (o offline) Seen(Tuple, time.Time) *Pending      { return o.pending }
func (o offline) SeenOpen(Tuple, time.Time) *Pending  { return o.pending }
func (offline) Methods() []Method                     { return nil }
func (offline) Limits() []string                      { return nil }
func (offline) StillUsed([]string) []string           { return nil }
func (offline) RunFirst() error                       { return nil }
func (offline) Follow(FollowFunc)                     {}
func (offline) WithoutPackets(time.Duration) []Answer { return nil }
func (offline) Missing() <-chan struct{}              { return nil }
func (offline) Failed() <-chan struct{}               { return nil }
func (offline) KnowsUntil() time.Time                 { return time.Now() }
func (offline) Stats() Stats                          { return Stats{} }
func (offline) Close() error                          { return nil }
