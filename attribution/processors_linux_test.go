package attribution

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"golang.org/x/sys/unix"
)

func TestProcessorsThatChange(t *testing.T) {
	file := filepath.Join(t.TempDir(), "online")
	write := func(list string) {
		if err := os.WriteFile(file, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := readProcessors(file); err == nil {
		t.Error("a list that is not there can be read")
	}
	for _, test := range []struct {
		name   string
		change func(p *processors)
		want   bool
	}{
		{"nothing", func(*processors) {}, false},
		{"one more", func(*processors) { write("0-2\n") }, true},
		{"one less", func(*processors) { write("0\n") }, true},
		{"no list", func(p *processors) { p.file.Close() }, true},
		{"not to be opened any more", func(*processors) { os.Remove(file) }, false},
		{"the machine slept", func(p *processors) { p.asleep -= 2 * sleepSlack }, true},
		{"looked at just now", func(p *processors) { p.looked = 1; write("0\n") }, false},
	} {
		write("0-1\n")
		p, err := readProcessors(file)
		if err != nil {
			t.Fatal(err)
		}
		test.change(&p)
		if got := p.changed(lookAtProcessors, nil); got != test.want {
			t.Errorf("%s: %v", test.name, got)
		}
		p.file.Close()
	}
}

// ringOf is one that tells of these times, one each time that it is asked.
func ringOf(t *testing.T, times ...uint64) *perfRing {
	t.Helper()
	ends := make([]int, 2)
	if err := unix.Pipe2(ends, unix.O_NONBLOCK|unix.O_CLOEXEC); err != nil {
		t.Fatal(err)
	}
	for _, lasted := range times {
		told := binary.NativeEndian.AppendUint64(make([]byte, 8), lasted)
		if _, err := unix.Write(ends[1], told); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(func() { unix.Close(ends[0]); unix.Close(ends[1]) })
	return &perfRing{fds: ends[:1]}
}

// A processor that is back before the list is looked at has left a ring that stands still.
func TestProcessorsThatAreBack(t *testing.T) {
	for _, test := range []struct {
		name  string
		rings [][]uint64 // the times that each tells
		want  int        // the look that notices it
	}{
		{"the only one", [][]uint64{{5, 6, 6}}, 3},
		{"one of two", [][]uint64{{5, 6, 7}, {5, 6, 6}}, 5},
		{"the other", [][]uint64{{5, 5}, {5, 6}}, 4},
		{"never on", [][]uint64{{0}}, 1},
		{"not to be read", [][]uint64{{5}}, 2},
	} {
		p, err := readProcessors(onlineFile)
		if err != nil {
			t.Fatal(err)
		}
		defer p.file.Close()
		var rings []*perfRing
		for _, times := range test.rings {
			rings = append(rings, ringOf(t, times...))
		}
		look := 1
		for look <= test.want && !p.changed(int64(look)*lookAtProcessors, rings) {
			look++
		}
		if look != test.want {
			t.Errorf("%s: it is noticed at look %d or later, not %d", test.name, look, test.want)
		}
	}
}

// Once events may be missing for good the witness says nothing more.
func TestTracepointStopsWhereProcessorsChange(t *testing.T) {
	r := reader{tracepoint: &tracepoint{tracker: newTracker(true), failure: make(chan struct{}), networks: newFollower(realProc())}}
	resolver := newExactResolver(r.tracepoint, nil, nil)
	defer resolver.stop()
	r.processors = processors{} // no list can be read
	r.tracker.add(connectAt(100, 5, 77))
	if !r.expects(nil) || len(resolver.Limits()) > 0 || !slices.Equal(resolver.Methods(), []Method{Tracepoint}) {
		t.Error("it is not trusted while all is well")
	}
	if r.round(); !r.impaired() || r.lost() == 0 {
		t.Error("a change of processors goes unnoticed")
	}
	now := monotonic()
	r.tracker.add(connectAt(now+1, 5, 77))
	r.tracker.add(endAt(now+2, 77, one()))
	if settled := r.tracker.advance(now + later); len(settled) > 0 {
		t.Errorf("%+v is told all the same", settled[0])
	}
	if r.expects(nil) || !slices.Equal(resolver.Limits(), []string{notTrusted}) || len(resolver.Methods()) > 0 {
		t.Errorf("it passes for good: %q, %q", resolver.Methods(), resolver.Limits())
	}
	<-resolver.Failed()
	<-r.networks.silence
}
