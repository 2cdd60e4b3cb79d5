package report

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"
	"time"

	"imds-analyzer/output"
)

// The report is the same in whichever order lines come.
func TestOrderDoesNotMatter(t *testing.T) {
	lines := append(some(), fleet()...)
	build := func(lines []any) *Builder {
		b := take(New(Options{MinDays: 7, Ignore: []string{"*/java"}}), lines...)
		b.Malformed("b", 2, errors.New("x"))
		b.Malformed("a", 3, errors.New("y"))
		return b
	}
	want := build(lines)
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		random.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
		if got, want := reported(t, build(lines).Report()), reported(t, want.Report()); got != want {
			t.Fatalf("in another order:\n%s\nwant:\n%s", got, want)
		}
	}
}

// States of several hosts can be put together in any order, and say what the logs of
// all say.
func TestStatesInAnyOrder(t *testing.T) {
	byHost := map[string][]any{}
	for _, line := range some() {
		switch l := line.(type) {
		case *output.Entry:
			byHost[l.Host.Hostname] = append(byHost[l.Host.Hostname], l)
		case *output.Lifecycle:
			byHost[l.Host.Hostname] = append(byHost[l.Host.Hostname], l)
		}
	}
	web, db := take(New(week), byHost["web-1"]...).Snapshot(), take(New(week), byHost["db-1"]...).Snapshot()
	want := reported(t, take(New(week), some()...).Report())
	for _, states := range [][]*State{{web, db}, {db, web}} {
		b := New(week)
		for _, s := range states {
			if err := b.State(s); err != nil {
				t.Fatal(err)
			}
		}
		if got := reported(t, b.Report()); got != want {
			t.Errorf("got:\n%s\nwant:\n%s", got, want)
		}
	}
}

// What takes memory are programs and hosts, and not lines.
func TestMemoryIsBounded(t *testing.T) {
	const hosts, programs = 1000, 1000
	names := make([]string, hosts)
	for i := range names {
		names[i] = fmt.Sprintf("ip-10-0-%d-%d", i/250, i%250)
	}
	before := heap()
	b := New(week)
	for h, name := range names {
		c := capture{host: name, boot: name, started: day, uptime: 20}
		take(b, c.start())
		for n := range 100 { // a hundred programs a host, a thousand in all
			e := call(from(name), when(at(float64(n)/20)), process(fmt.Sprintf("/usr/local/bin/program-%d", (h+n*10)%programs)),
				pathTo(fmt.Sprintf("/latest/meta-data/%d", n%30)), userAgent("Boto3/1.26.27 Botocore/1.29.27"), commandLine("program with some arguments"), sequence(uint64(n+1)))
			for range 2 {
				b.Call(e)
			}
		}
		take(b, c.stop(at(7)))
	}
	const most = 30 << 20
	if used := heap() - before; used > most {
		t.Errorf("%d hosts and %d programs take %d KiB", hosts, programs, used>>10)
	} else {
		t.Logf("%d hosts and %d programs take %d KiB", hosts, programs, used>>10)
	}
	r := b.Report()
	if len(r.Hosts) != hosts || len(r.Programs) != programs || r.Calls.V1 != hosts*200 {
		t.Errorf("%d hosts, %d programs, %d calls", len(r.Hosts), len(r.Programs), r.Calls.V1)
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// Beyond the limits nothing is lost: it is counted together, and judged.
func TestBeyondTheLimits(t *testing.T) {
	b := New(Options{NoBoot: true, Ignore: []string{"/p*"}})
	const more = 10
	for n := range maxPrograms + more {
		b.Call(call(process(fmt.Sprintf("/p%d", n))))
	}
	r := b.Report()
	if len(r.Programs) != maxPrograms || r.OtherPrograms == nil || r.OtherPrograms.V1 != more {
		t.Errorf("%d programs, others %+v", len(r.Programs), r.OtherPrograms)
	}
	if v := r.Verdict; v.Status != NotReady || v.Against[0].Count != more {
		t.Errorf("the verdict is %+v", v) // others cannot be ignored: it is not known which they are
	}

	b = New(Options{NoBoot: true})
	for n := range maxHosts + more {
		b.Call(call(from(fmt.Sprint("h", n)), v2))
	}
	r = b.Report()
	if v := r.Verdict; v.Status != NotEnough || ids(v.Missing) != itemOthers || v.Missing[0].Count != more {
		t.Errorf("the verdict is %+v", v)
	}
	again := New(Options{NoBoot: true})
	if err := again.State(read(t, written(t, b.Snapshot()))); err != nil {
		t.Fatal(err)
	}
	if got, want := reported(t, again.Report()), reported(t, r); got != want {
		t.Error("from a state there are others")
	}
	b.Call(call(from("late"), when(day.Add(time.Hour))))
	if v := b.Report().Verdict; v.Status != NotReady {
		t.Errorf("a call of one of the other hosts leaves the verdict %s", v.Status)
	}
}

// Taking in a call that was like others allocates next to nothing.
func BenchmarkCall(b *testing.B) {
	builder := New(week)
	e := call(process("/usr/bin/python3.11"), unit("sync.service"), userAgent("Boto3/1.26.27 Botocore/1.29.27"), commandLine("python3 sync.py"))
	b.ReportAllocs()
	for b.Loop() {
		builder.Call(e)
	}
}
