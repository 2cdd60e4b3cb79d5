package cli

import (
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"imds-analyzer/output"
)

// lines is a writer of entries that keeps what they say of the machine.
type lines struct{ hosts []string }

func (l *lines) Call(e *output.Entry) error { return l.add(&e.HostFields) }

func (l *lines) Lifecycle(c *output.Lifecycle) error { return l.add(&c.HostFields) }

func (*lines) Flush() error { return nil }

func (l *lines) add(f *output.HostFields) error {
	l.hosts = append(l.hosts, f.Host.Hostname+" "+f.Cloud.Region)
	return nil
}

// A capture that began before cloud-init ran says where the machine is as soon as
// that is known, in entries and lines about itself; once a second it looks.
func TestJournalLearnsOfTheHost(t *testing.T) {
	root := fstest.MapFS{"proc/sys/kernel/hostname": {Data: []byte("localhost\n")}}
	var said lines
	j := &journal{summary: output.NewSummary(), stop: func() {}, root: root, writers: []entryWriter{&said}}
	j.session.Host = output.ReadHost(root)
	now := time.Now()
	j.readHost(now)
	j.record(&output.Record{})
	root["proc/sys/kernel/hostname"].Data = []byte("web-1\n")
	root["run/cloud-init/instance-data.json"] = &fstest.MapFile{Data: []byte(`{"v1":{"cloud_name":"aws","region":"us-west-2"}}`)}
	j.readHost(now.Add(hostEvery - 1))
	if h := &j.session.Host; h.Region != "" {
		t.Errorf("it is read again at once, and is %+v", h)
	}
	j.hostRead = now.Add(-hostEvery)
	j.record(&output.Record{})
	root["proc/sys/kernel/hostname"].Data = []byte("web-2\n")
	j.hostRead = now.Add(-hostEvery)
	j.progress(output.CaptureStopped, output.CaptureStats{})
	if got, want := strings.Join(said.hosts, ", "), "localhost , web-1 us-west-2, web-2 us-west-2"; got != want {
		t.Errorf("lines are of %q, want %q", got, want)
	}
}

// Of a capture file nothing is said of this machine.
func TestJournalOfFilesHasNoHost(t *testing.T) {
	var said lines
	j := &journal{summary: output.NewSummary(), stop: func() {}, writers: []entryWriter{&said}}
	j.record(&output.Record{})
	j.progress(output.CaptureStopped, output.CaptureStats{})
	if got := strings.Join(said.hosts, ","); got != " , " {
		t.Errorf("lines are of %q", got)
	}
}

// The machine is read again while the enricher's goroutines write what tells of it.
func TestJournalLearnsOfTheHostWhileItWrites(t *testing.T) {
	j := &journal{root: fstest.MapFS{"proc/sys/kernel/hostname": {Data: []byte("web-1\n")}}}
	var other sync.WaitGroup
	for range 100 {
		other.Go(func() {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.session.Gap(time.Now(), 1, output.Counts{})
		})
		j.hostRead = time.Time{}
		j.readHost(time.Now())
	}
	other.Wait()
	if j.session.Host.Hostname != "web-1" {
		t.Errorf("%+v", j.session.Host)
	}
}
