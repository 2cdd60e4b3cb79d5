package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/diagnosis"
	"imds-analyzer/identity"
	"imds-analyzer/output"
)

const (
	// hotThreads are those that must not wait for other goroutines when they
	// come back from the kernel: the reader of its events, the taps, the
	// readers of packets, and the two that read arguments for them.
	hotThreads = 6
	// maxProcessors is how many processors a live capture uses besides: two are
	// enough for 10,000 calls a second, and each takes memory and, with the
	// collector of garbage, a share of all others' time.
	maxProcessors = 4
	// liveGCPercent is how much the heap of a live capture may grow before it is
	// cleaned (runtime/debug). Memory is scarcer there than processor time: at
	// 1,000 calls a second it takes 47 MiB in place of 58.
	liveGCPercent = 40
	// liveMemory is what the runtime takes in a live capture before it cleans up more
	// often than that (runtime/debug.SetMemoryLimit): the program's code and libpcap's
	// ring of 8 MiB come on top, and it is to stay below 64 MiB under attack.
	liveMemory = 30 << 20
	// offlineGCPercent is for reports, for streams, and for files in which there is much
	// (frugalAfter): 100,000 open connections take 131 MiB with it, and 141 with 25, which
	// takes 8 % less processor time; with 10 it is 125, for 15 % more.
	offlineGCPercent = 15
)

// session is one run of the main job. Its methods are called in the goroutine
// that owns the Analyzer.
type session struct {
	options  options
	streams  Streams
	line     *output.StatusLine // for the progress, nil if none is shown
	terminal io.Writer          // where that is shown
	live     []capture.LiveSource
	kernel   []capture.LiveStats // what each of them has told last
	cutShort bool                // there may be packets that were not read at the end
	unread   uint64              // how many
	// interfaces tell when one that is captured by its name is gone, or back.
	interfaces interfaces
	flaps      flaps
	files      *files         // nil if live
	sieve      *capture.Sieve // what files hold besides; nil if live
	resolver   attribution.Resolver
	analyzer   *capture.Analyzer
	merge      *capture.Merge // nil for one source, which is in order by itself
	networks   *networks      // nil if no other namespaces than our own are captured
	// notFollowed is the reason for that, to stand in a sentence.
	notFollowed string
	join        *join
	identity    *identity.Identifier
	log         *journal
	textfile    *textfile   // nil without --metrics-textfile
	scrapes     *scrapes    // nil without --metrics-listen
	packets     *packetFile // that are saved; nil for none
	notifier    *notifier   // nil if no service manager asks
	problems    []error
	limits      []string // what does not work as it should, for people
	confined    []string // what the process has given up, in the words of the log
	// truncated is true if a source ended before its end.
	truncated bool
	// endedEarly is true if reading ended before the input did.
	endedEarly bool
	hangups    <-chan os.Signal // at which the log is opened anew, nil for none
	started    time.Time
	ending     time.Time // when a signal, or the time that is over, has ended it; zero if neither
	wall       wallClock
	looked     time.Time // at the clock last
	flushed    time.Time // the log; of the goroutine that writes it
}

// run does the main job until its input or ctx ends.
func run(ctx context.Context, o options, streams Streams) error {
	signals := ctx
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	terminal := streams.Err
	line := newStatusLine(o, streams)
	out := aboveLine(line, streams.Out, streams.Err)
	streams.Err = &lockedWriter{out: aboveLine(line, streams.Err, streams.Err)}
	s := &session{options: o, streams: streams, line: line, terminal: terminal, started: time.Now(), interfaces: newInterfaces()}
	capture.ReleaseDecoders()
	if o.live() {
		defer raiseAutogroup()()
		s.noDumps()
		s.leaveProgramsNothing()
		debug.SetGCPercent(liveGCPercent)
		debug.SetMemoryLimit(min(liveMemory, debug.SetMemoryLimit(-1))) // GOMEMLIMIT, if that is less
	}
	defer s.reopenOnHangup(isTerminal(terminal))()
	if !o.live() {
		go diagnosis.Prepare()
		if err := s.giveUp(ctx, out, cancel); err != nil {
			return err
		}
	}
	sources, err := s.open(ctx)
	if err != nil {
		return advise(err)
	}
	defer s.resolver.Close()
	if err := s.openOutputs(ctx, out, cancel); err != nil {
		return err
	}
	s.streams.Err = s.log.beside(streams.Err)
	if err := s.keepState(); err != nil {
		return err
	}
	s.openMetrics()
	defer atStall(signals, stallAfter, func() {
		s.textfile.down() // which another disk may have
		s.log.state.save()
	})()
	if s.options.command != nil {
		s.log.enrichWith(newEnricher(signals, s.options.command, !o.live()), s.streams.Err)
	}
	return s.run(ctx, sources)
}

// openOutputs opens the log and the file for packets, unless they are open already.
func (s *session) openOutputs(ctx context.Context, out io.Writer, stop func()) (err error) {
	if s.log != nil {
		return nil
	}
	if s.log, err = openJournal(ctx, s.options, s.streams, out, stop); err != nil {
		return err
	}
	s.packets, err = openPacketFile(ctx, s.streams.Err, s.options.write)
	return err
}

func (s *session) run(ctx context.Context, sources []capture.Source) error {
	save, err := s.prepare(sources)
	if err != nil {
		return err
	}
	feed := capture.NewFeed(sources...) // of files that are all there it reads nothing
	s.followNetworks(feed)
	s.openNotifier()
	s.settle()
	s.announce()
	s.log.flush()
	writable := s.log.err == nil // if not, that is said before anything is captured
	hideProgress := s.showProgress(ctx)
	written := s.startWriting()
	switch {
	case !writable:
	case s.files != nil && !s.files.stream():
		s.read(ctx, s.files)
	default:
		if !s.options.live() {
			debug.SetGCPercent(offlineGCPercent) // a stream can go on for long
		}
		s.capture(ctx, feed)
	}
	s.finish()
	<-written
	s.notifier.end()
	hideProgress()
	return s.conclude(save)
}

// prepare makes ready what packets go through.
func (s *session) prepare(sources []capture.Source) (save io.Closer, err error) {
	limits := capture.LiveLimits()
	if !s.options.live() {
		limits = capture.OfflineLimits()
	}
	s.identity = identity.New(identity.Options{NoPackages: s.options.noPackages || !s.options.live()})
	s.join = newJoin(s.resolver, s.identity)
	s.analyzer = capture.NewAnalyzer(s.options.endpoints, limits, s.join)
	if len(sources) > 1 {
		s.merge = &capture.Merge{}
	}
	return s.savePackets()
}

// startWriting starts the goroutine that owns the output. The channel is closed
// when everything is written.
func (s *session) startWriting() <-chan struct{} {
	s.log.start()
	go s.join.lookEarly()
	written := make(chan struct{})
	go func() {
		defer close(written)
		s.join.drain(s.log.record, s.idle())
	}()
	return written
}

// finish hands over what there is, as nothing more will come.
func (s *session) finish() {
	if s.merge != nil {
		s.merge.Flush(s.analyzer.Packet)
	}
	s.analyzer.Flush()
	s.tellFlaps()
	s.leaveUnread()
	s.takeMissing(s.sinceEnding())
	s.join.lifecycle(s.log.finish)
	s.packets.end(saveEndWithin)
	s.lifecycle(output.CaptureStopped)
	s.join.lifecycle(s.log.state.save)
	s.join.close()
}

// open opens what packets come from, and the way to their processes.
func (s *session) open(ctx context.Context) ([]capture.Source, error) {
	if !s.options.live() {
		s.resolver = attribution.NewOffline()
		return s.openFiles(ctx)
	}
	var sources []capture.Source
	for _, name := range s.options.interfaces {
		source, err := capture.OpenLive(capture.LiveOptions{Interface: name, Endpoints: s.options.endpoints, Changed: s.interfaces.changed(name)})
		if err != nil {
			return nil, err
		}
		s.live = append(s.live, source)
		sources = append(sources, source)
	}
	return sources, s.openResolver()
}

// openResolver starts attribution.
func (s *session) openResolver() error {
	runtime.GOMAXPROCS(min(runtime.GOMAXPROCS(0), maxProcessors) + hotThreads)
	var err error
	if s.resolver, err = attribution.Open(attribution.Options{Services: s.options.endpoints, Ways: s.options.ways()}); err != nil {
		return fmt.Errorf("cannot look for processes: %w", err)
	}
	return s.openTaps()
}

// openTaps starts to tell the resolver of connections at once, where it has to
// look for their processes while they live. The tracepoint does without: what it
// is told of 100 ms later it has remembered.
func (s *session) openTaps() error {
	if !s.looksAtSYNs() {
		return nil
	}
	for _, name := range s.options.interfaces {
		tap, err := capture.OpenLive(capture.LiveOptions{Interface: name, Endpoints: s.options.endpoints, SYNTap: true})
		if err != nil {
			return err
		}
		capture.TapSYNs(tap, s.options.endpoints, s.seen) // ends with the process: nothing can wake it on a quiet wire
	}
	return nil
}

// looksAtSYNs reports whether the resolver has to be told of connections at once.
func (s *session) looksAtSYNs() bool {
	methods := s.resolver.Methods()
	return len(methods) > 0 && methods[0] != attribution.Tracepoint
}

// problem tells of something that is wrong, once, and lets it decide the exit
// status.
func (s *session) problem(err error) {
	if told := (toldError{}); !errors.As(err, &told) {
		say(s.streams.Err, "%s", err)
	}
	s.problems = append(s.problems, err)
}

// conclude closes what is open, prints the summary and says how it went.
func (s *session) conclude(save io.Closer) error {
	for _, err := range append([]error{save.Close()}, s.log.close()...) {
		if err != nil {
			s.problem(err)
		}
	}
	for _, limit := range slices.Concat(s.files.limits(), s.identity.Limits()) {
		say(s.streams.Err, "%s", limit)
	}
	s.tellNotRead()
	stats := s.stats()
	s.closeMetrics(stats)
	s.summarise(stats)
	return s.exitStatus(stats)
}

// exitStatus is that of the program: failed if anything failed, partial if something
// is missing.
func (s *session) exitStatus(stats output.CaptureStats) error {
	failed := slices.ContainsFunc(s.problems, func(err error) bool { return !errors.Is(err, errPartial) })
	switch {
	case failed:
		return saidError{exitFailed}
	case len(s.problems) > 0 || stats.DroppedByKernel+stats.DroppedByInterface > 0:
		return saidError{exitPartial}
	}
	return nil
}

// seen starts to look for the process of a connection whose SYN the tap has
// seen. It is called in the tap's goroutine.
func (s *session) seen(client, service netip.AddrPort, at time.Time) {
	s.resolver.Seen(attribution.Tuple{Local: client, Remote: service}, at)
}
