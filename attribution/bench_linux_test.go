package attribution

import (
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// BenchmarkSockDiag takes the time from Seen to the answer, and the processor
// time of this process, that of making the connection included.
func BenchmarkSockDiag(b *testing.B) {
	benchmark(b, open(b))
}

// BenchmarkTables does the same without sock_diag.
func BenchmarkTables(b *testing.B) {
	benchmark(b, openTables(b))
}

func benchmark(b *testing.B, r Resolver) {
	address := listen(b, "127.0.0.1:0")
	var latencies []time.Duration
	start := processorTime(b)
	for b.Loop() {
		fd, err := connect(address)
		if err != nil {
			b.Fatal(err)
		}
		tuple, seen := tupleOf(b, fd), time.Now()
		p := r.Seen(tuple, seen)
		<-p.Done()
		latencies = append(latencies, time.Since(seen))
		unix.Close(fd)
	}
	report := func(at int, unit string) {
		b.ReportMetric(float64(latencies[len(latencies)*at/100].Microseconds()), unit)
	}
	slices.Sort(latencies)
	report(50, "µs-p50")
	report(99, "µs-p99")
	b.ReportMetric(100*float64(r.Stats().Answers[Resolved])/float64(len(latencies)), "%resolved")
	b.ReportMetric(float64((processorTime(b)-start).Microseconds())/float64(len(latencies)), "µs-cpu/op")
}

func processorTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
