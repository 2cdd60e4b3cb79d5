package cli

import (
	"cmp"
	"errors"
	"io/fs"
	"maps"
	"net/netip"
	"os"
	"sync"
	"syscall"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
)

// networks captures in those network namespaces whose packets do not pass ours:
// containers have them that have an interface of their own.
type networks struct {
	endpoints []netip.AddrPort
	feed      *capture.Feed
	own       *os.File      // our namespace
	atEnd     chan struct{} // closed when all that is captured is read

	tapping sync.Mutex // guards what follows, and who opens a tap
	seen    seenIn     // nil if no tap is needed

	// asked is held while the kernel is asked about namespaces that are captured, of which
	// none may be closed then.
	asked sync.RWMutex

	mu     sync.Mutex           // guards what follows
	open   map[string]*captured // by the name of the namespace
	opened uint64               // so far
	gone   capture.LiveStats    // of sources that are closed
	// sources are those that are open, with what each has told last: so long after its
	// namespace is left, too.
	sources map[capture.LiveSource]capture.LiveStats
	problem error // the first that kept one from being captured
}

// seenIn is told of a connection in a network namespace at once.
type seenIn func(network string, client, service netip.AddrPort, at time.Time)

// captured is a network namespace that is captured.
type captured struct {
	whole     chan struct{} // closed when nothing more is to be opened
	namespace *os.File
	packets   capture.LiveSource
	inside    bool               // the service is, so that what passes it is not captured
	tap       capture.LiveSource // nil if none is needed
}

func newNetworks(endpoints []netip.AddrPort, feed *capture.Feed) (*networks, error) {
	if err := attribution.MayEnter(); err != nil {
		return nil, err
	}
	own, err := os.Open("/proc/self/ns/net")
	if err != nil {
		return nil, err
	}
	return &networks{endpoints: endpoints, feed: feed, own: own, atEnd: make(chan struct{}), open: make(map[string]*captured),
		sources: make(map[capture.LiveSource]capture.LiveStats)}, nil
}

// errSeen says that the packets of a namespace are seen from outside.
var errSeen = errors.New("its packets pass a namespace that is captured")

// follow captures in a network namespace if that is needed to see its packets,
// until what it returns is called.
func (n *networks) follow(network attribution.Network) (leave func(), unfinished bool) {
	c, begun := &captured{whole: make(chan struct{})}, make(chan error, 1)
	go func() {
		defer close(c.whole)
		if err := n.captureIn(network, c, begun); err != nil {
			begun <- err
		}
	}()
	switch err := <-begun; {
	case err == nil:
		return func() { n.leave(network.Name, c) }, false
	case errors.Is(err, capture.ErrNoRoute), errors.Is(err, fs.ErrNotExist), errors.Is(err, attribution.ErrMoved):
		return nil, true // also if its process has just ended, or moved: there may be others
	case !errors.Is(err, errSeen):
		n.fail(err)
	}
	return nil, false
}

// captureIn enters a namespace, and opens there what is needed.
func (n *networks) captureIn(network attribution.Network, c *captured, begun chan<- error) (err error) {
	if c.namespace, err = network.Open(); err != nil {
		return err
	}
	err = attribution.InNetwork(c.namespace, func() error { return n.enter(c, network.Name, begun) })
	if err != nil {
		c.close()
	}
	return err
}

// enter opens what is needed in the namespace that the thread is in. Its
// processes may call at once and live for a millisecond, so that begun is told of
// as soon as there is a source that is open soon; the one with more room, which
// the kernel takes longer for, takes its place then. If that cannot be opened, the
// first stays.
func (n *networks) enter(c *captured, name string, begun chan<- error) error {
	if err := n.begin(c, name); err != nil {
		return err
	}
	n.add(name, c)
	begun <- nil
	if err := n.tap(c, name); err != nil { // that are needed only since
		n.fail(err)
	}
	early := c.packets
	if whole, err := n.source(name, capture.LiveOptions{}); err == nil {
		n.replace(c, whole)
		time.AfterFunc(deliveryDelay, func() { n.drop(early) })
	} else {
		n.fail(err)
	}
	return nil
}

// begin opens what sees the first packets.
func (n *networks) begin(c *captured, name string) error {
	hidden, err := n.isHidden()
	if err != nil {
		return err
	}
	if !hidden {
		return errSeen
	}
	c.inside = len(capture.Outside(n.endpoints)) < len(n.endpoints)
	if c.packets, err = n.source(name, capture.LiveOptions{Early: true}); err != nil {
		return err
	}
	return n.tap(c, name)
}

// isHidden reports whether no namespace that is captured sees the packets of the thread's.
func (n *networks) isHidden() (bool, error) {
	n.asked.RLock()
	defer n.asked.RUnlock()
	return capture.Hidden(n.endpoints, n.watched())
}

// source opens one that the options say, in the thread's namespace.
func (n *networks) source(name string, options capture.LiveOptions) (capture.LiveSource, error) {
	options.Interface, options.Endpoints = capture.AnyInterface, n.endpoints
	return capture.OpenNamespace(options, name)
}

// tap has connections told of at once, if they have to be.
func (n *networks) tap(c *captured, name string) (err error) {
	n.tapping.Lock()
	defer n.tapping.Unlock()
	seen := n.seen
	if seen == nil || c.tap != nil {
		return nil
	}
	if c.tap, err = n.source(name, capture.LiveOptions{SYNTap: true}); err != nil {
		return err
	}
	capture.TapSYNs(c.tap, n.endpoints, func(client, service netip.AddrPort, at time.Time) { seen(name, client, service, at) })
	return nil
}

// tapFromNow has connections told of at once that did not have to be so far, also in
// namespaces that are captured already. It returns the first error of several.
func (n *networks) tapFromNow(seen seenIn) error {
	n.tapping.Lock()
	n.seen = seen
	n.tapping.Unlock()
	n.mu.Lock()
	open := maps.Clone(n.open)
	n.mu.Unlock()
	err := n.tapOwn(seen)
	for name, c := range open {
		err = cmp.Or(err, n.tapOpen(name, c))
	}
	return err
}

// tapOwn is for our own namespace. It ends with the process.
func (n *networks) tapOwn(seen seenIn) error {
	tap, err := n.source("", capture.LiveOptions{SYNTap: true})
	if err != nil {
		return err
	}
	capture.TapSYNs(tap, n.endpoints, func(client, service netip.AddrPort, at time.Time) { seen("", client, service, at) })
	return nil
}

// tapOpen is for one that is captured, unless it was left meanwhile.
func (n *networks) tapOpen(name string, c *captured) error {
	n.asked.RLock()
	defer n.asked.RUnlock()
	err := attribution.InNetwork(c.namespace, func() error { return n.tap(c, name) })
	if errors.Is(err, syscall.EBADF) {
		return nil
	}
	return err
}

func (c *captured) close() {
	c.namespace.Close()
	closeSource(c.packets)
	closeSource(c.tap)
}

// closeSource closes one that may not be there.
func closeSource(s capture.LiveSource) {
	if s != nil {
		s.Close()
	}
}

// watched are the namespaces that packets are seen in, also those of others.
func (n *networks) watched() []*os.File {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := []*os.File{n.own}
	for _, c := range n.open {
		if !c.inside {
			list = append(list, c.namespace)
		}
	}
	return list
}

func (n *networks) fail(err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.problem == nil {
		n.problem = err
	}
}

func (n *networks) add(name string, c *captured) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.open[name] = c
	n.opened++
	n.sources[c.packets] = capture.LiveStats{}
	n.feed.Add(c.packets)
}

func (n *networks) replace(c *captured, packets capture.LiveSource) {
	n.mu.Lock()
	defer n.mu.Unlock()
	c.packets = packets
	n.sources[packets] = capture.LiveStats{}
	n.feed.Add(packets)
}

// drop closes a source, and keeps how many packets it had and lost.
func (n *networks) drop(s capture.LiveSource) {
	s.Close() // takes the kernel milliseconds
	n.mu.Lock()
	defer n.mu.Unlock()
	n.gone = addStats(n.gone, n.toldBy(s))
	delete(n.sources, s)
}

// toldBy is what a source tells, or did when it could be asked last.
func (n *networks) toldBy(s capture.LiveSource) capture.LiveStats {
	if stats, err := s.Stats(); err == nil {
		n.sources[s] = stats
	}
	return n.sources[s]
}

func addStats(a, b capture.LiveStats) capture.LiveStats {
	return capture.LiveStats{
		Received: a.Received + b.Received, Dropped: a.Dropped + b.Dropped,
		DroppedByInterface: a.DroppedByInterface + b.DroppedByInterface,
	}
}

// leave ends the capture in a namespace. What its last process has sent is on its
// way still. Meanwhile there can be another capture in it, for processes that came later.
func (n *networks) leave(name string, c *captured) {
	n.mu.Lock()
	if n.open[name] == c {
		delete(n.open, name)
	}
	n.mu.Unlock()
	<-c.whole
	select {
	case <-time.After(deliveryDelay):
	case <-n.atEnd:
	}
	n.drop(c.packets)
	n.asked.Lock()
	defer n.asked.Unlock()
	c.close()
}

// drained is for when all is read that is captured, and nothing more will be.
func (n *networks) drained() {
	if n != nil {
		close(n.atEnd)
	}
}

// any reports whether a namespace was captured so far.
func (n *networks) any() bool {
	if n == nil {
		return false
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.opened > 0
}

// why is the first reason for which a namespace is not captured, if there is one.
func (n *networks) why() string {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.problem == nil {
		return ""
	}
	return n.problem.Error()
}

// stats are the packets of all of them so far, and how many they were.
func (n *networks) stats() (packets capture.LiveStats, opened uint64) {
	if n == nil {
		return packets, 0
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	packets = n.gone
	for s := range n.sources {
		packets = addStats(packets, n.toldBy(s))
	}
	return packets, n.opened
}
