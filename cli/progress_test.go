package cli

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"imds-analyzer/output"
)

// drawn are all texts that were drawn.
type drawn struct {
	mu    sync.Mutex
	texts []string
}

func (d *drawn) Write(p []byte) (int, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.texts = append(d.texts, string(p))
	return len(p), nil
}

func (d *drawn) all() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.texts)
}

func progressing(out *drawn) *session {
	f := &files{total: 2000}
	f.read.Store(1000)
	return &session{
		line:    output.NewStatusLine(out, func() output.Size { return output.Size{Columns: 80, Rows: 24} }),
		files:   f,
		log:     &journal{summary: output.NewSummary()},
		started: time.Now(),
	}
}

// A short run shows nothing, a longer one its progress at most 8 times a second,
// and none at the end.
func TestProgressIsShownFromTimeToTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &drawn{}
		hide := progressing(out).showProgress(t.Context())
		time.Sleep(progressDelay - time.Millisecond)
		if synctest.Wait(); len(out.all()) != 0 {
			t.Errorf("too early: %q", out.all())
		}
		time.Sleep(time.Millisecond)
		if synctest.Wait(); len(out.all()) != 1 || !strings.Contains(out.all()[0], "50 %  1.0 KiB of 2.0 KiB") {
			t.Errorf("not shown: %q", out.all())
		}
		time.Sleep(10 * time.Second)
		if synctest.Wait(); len(out.all()) != 1+10*8 {
			t.Errorf("shown %d times in 10 s", len(out.all()))
		}
		hide()
		if last := out.all()[len(out.all())-1]; last != "\r\x1b[J" {
			t.Errorf("still there: %q", last)
		}
		shown := len(out.all())
		time.Sleep(time.Minute)
		if synctest.Wait(); len(out.all()) != shown {
			t.Errorf("shown after the end: %q", out.all()[shown:])
		}
	})
}

func TestProgressOfShortRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &drawn{}
		hide := progressing(out).showProgress(t.Context())
		time.Sleep(progressDelay - time.Millisecond)
		hide()
		if len(out.all()) != 0 {
			t.Errorf("drawn: %q", out.all())
		}
	})
}

// Only terminals show it.
func TestNoProgressElsewhere(t *testing.T) {
	var out bytes.Buffer
	if line := newStatusLine(options{read: []string{"-"}}, Streams{Out: &out, Err: &out}); line != nil {
		t.Error("a buffer has a status line")
	}
	if aboveLine(nil, &out, &out) != &out {
		t.Error("a writer was wrapped for nothing")
	}
	(&session{}).showProgress(t.Context())() // ends at once
}
