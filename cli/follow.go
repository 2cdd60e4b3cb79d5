package cli

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/identity"
)

// networkCapabilities are what it takes to capture in network namespaces as they
// come, in the words of capabilities(7).
var networkCapabilities = []string{"CAP_SYS_ADMIN", "CAP_NET_RAW"}

// followNetworks has those network namespaces captured too whose packets do not
// pass ours.
func (s *session) followNetworks(feed *capture.Feed) {
	if !s.options.everywhere() {
		return
	}
	n, err := newNetworks(s.options.endpoints, feed)
	if err != nil {
		s.notFollowed = notFollowed(err)
		s.limits = append(s.limits, capitalized(s.notFollowed)+".")
		return
	}
	if s.looksAtSYNs() {
		n.seen = s.seenIn
	}
	s.networks = n
	s.resolver.Follow(n.follow)
}

// notFollowed says why other network namespaces are not captured, and what to do.
func notFollowed(err error) string {
	todo := "run as root outside of containers, or with CAP_SYS_ADMIN"
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
		todo = "allow more open files"
	}
	return fmt.Sprintf("containers with a network interface of their own are not captured: %v; %s", err, todo)
}

// seenIn is seen for a connection in another network namespace.
func (s *session) seenIn(network string, client, service netip.AddrPort, at time.Time) {
	s.resolver.Seen(attribution.Tuple{Local: client, Remote: service, Network: network}, at)
}

// tapFromNow starts to tell the resolver of connections at once, where so far it did not
// have to be told. It takes the privileges that are kept to follow network namespaces.
func (s *session) tapFromNow() {
	if s.networks == nil || !s.looksAtSYNs() {
		return
	}
	go func() { // which can take a while, where there are many namespaces
		if err := s.networks.tapFromNow(s.seenIn); err != nil {
			say(s.streams.Err, "processes are looked for later than could be: %s", err)
		}
	}()
}

// sinceEnding is how old connections are at the end whose packets must have been read.
func (s *session) sinceEnding() time.Duration {
	if s.ending.IsZero() {
		return deliveryDelay
	}
	return time.Since(s.ending)
}

// takeMissing reports connections that were made so long ago, and not captured.
func (s *session) takeMissing(age time.Duration) {
	for _, a := range s.resolver.WithoutPackets(age) {
		s.join.lifecycle(func() { s.withoutPackets(a) })
	}
}

// withoutPackets counts one. It says whose it is, the first time.
func (s *session) withoutPackets(a attribution.Answer) {
	var w identity.Workload
	if a.Process != nil {
		w = s.identity.Workload(a.Process.Cgroup)
	}
	if owner := s.log.withoutPackets(a, &w); owner != "" && s.options.everywhere() {
		say(s.streams.Err, "the packets of a call by %s were not captured%s", owner, s.whyNotCaptured())
	}
}

// whyNotCaptured is the reason, where it is known, to stand at the end of a
// sentence.
func (s *session) whyNotCaptured() string {
	why := s.notFollowed
	if s.networks != nil {
		why = s.networks.why()
	}
	if why == "" {
		return ""
	}
	return ": " + why
}
