package cli

import (
	"runtime"
	"time"

	"imds-analyzer/metrics"
	"imds-analyzer/output"
)

// exports reports whether the counts of a capture go anywhere but to the log and the
// summary.
func (o *options) exports() bool {
	return o.metricsTextfile != "" || o.metricsListen != "" || o.emf
}

// openMetrics opens where the counts go. What cannot be opened is said, and no reason
// not to capture: others could keep the program from its start by taking the port.
func (s *session) openMetrics() {
	o := &s.options
	if !o.exports() {
		return
	}
	s.log.metrics = metrics.New()
	if o.metricsTextfile != "" {
		s.textfile = newTextfile(o.metricsTextfile, o.metricsInterval, func(err error) { say(s.streams.Err, "%s", err) })
	}
	if o.metricsListen != "" {
		s.openScrapes()
	}
}

func (s *session) openScrapes() {
	var err error
	if s.scrapes, err = listenForScrapes(s.options.listenAt); err != nil {
		s.limits = append(s.limits, capitalized(err.Error())+".")
		return
	}
	say(s.streams.Err, "metrics are at http://%s%s", s.scrapes.address, scrapePath)
}

// writeMetrics has the file written, with the calls so far.
func (s *session) writeMetrics() {
	if s.textfile != nil {
		s.metricsText(s.textfile.put)
	}
}

// answerScrape answers a scrape, with the calls so far. Whoever asked may have gone.
func (s *session) answerScrape(answer chan<- []byte) {
	s.metricsText(func(text []byte) { answer <- text })
}

// metricsText is called in the goroutine that owns the Analyzer, and give in the one that
// writes, behind the calls so far.
func (s *session) metricsText(give func([]byte)) {
	now, stats := s.exported(), s.stats()
	s.join.lifecycle(func() { give(s.log.metricsText(&now, stats)) })
}

// exported is what metrics say of the program.
func (s *session) exported() metrics.Capture {
	return metrics.Capture{
		Up:             true,
		Version:        version(),
		GoVersion:      runtime.Version(),
		Started:        s.started,
		LastPacket:     s.analyzer.Stats().Last,
		ResidentMemory: residentMemory(),
	}
}

// closeMetrics says for the last time what was counted, now that nothing more will be.
func (s *session) closeMetrics(stats output.CaptureStats) {
	s.scrapes.close()
	if s.textfile != nil {
		now := s.exported()
		now.Up = false
		s.textfile.end(s.log.metricsText(&now, stats))
	}
}

// metricsText returns the counts in the text format of Prometheus.
func (j *journal) metricsText(now *metrics.Capture, stats output.CaptureStats) []byte {
	j.mu.Lock()
	defer j.mu.Unlock()
	now.Counts = j.summary.Counts(stats)
	now.EntriesNotWritten = stats.EntriesNotWritten
	now.CallsFolded = j.folded
	for _, l := range j.lasting {
		now.LogErrors += l.spool.Errors()
	}
	return j.metrics.AppendText(nil, now)
}

// writeEmbedded has the log tell CloudWatch what was counted since it did last.
func (s *session) writeEmbedded() {
	stats := s.stats()
	s.join.lifecycle(func() { s.log.embedded(stats) })
}

// emfEvery is how often that is, 0 for never.
func (o *options) emfEvery() time.Duration {
	if !o.emf {
		return 0
	}
	return o.emfInterval
}

// embed has a line of the log tell CloudWatch what was counted since the line that did
// before, if it is to.
func (j *journal) embed(l *output.Lifecycle) {
	if !j.options.emf {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	// As of now, not of when the line was asked for: with the last one nobody tells the rest.
	now := j.metrics.Embedded(l.IMDS.Capture.Counts, j.notWritten())
	instance := ""
	if j.options.emfPerInstance {
		instance = j.session.Host.InstanceID
	}
	l.Embed(now.Since(j.told), residentMemory(), instance)
	j.told = now.Highest(j.told)
}
