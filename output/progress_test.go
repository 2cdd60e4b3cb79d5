package output

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestProgressLine(t *testing.T) {
	const mib = 1 << 20
	half := Progress{Read: 512 * mib, Total: 1024 * mib, Elapsed: 4 * time.Second, Calls: 1234, V1: 17}
	stream := Progress{Read: 3 * mib, Elapsed: 2 * time.Second, Calls: 1}
	for _, tt := range []struct {
		name  string
		p     Progress
		width int
		want  string
	}{
		{"wide", half, 120, "[===================                   ]  50 %  512 MiB of 1.0 GiB  128 MiB/s  1,234 calls, 17 v1  0:04 left"},
		{"80 columns", half, 79, "[====     ]  50 %  512 MiB of 1.0 GiB  128 MiB/s  1,234 calls, 17 v1  0:04 left"},
		{"without the rate", half, 60, "50 %  512 MiB of 1.0 GiB  1,234 calls, 17 v1  0:04 left"},
		{"without the bytes", half, 50, "[=====      ]  50 %  1,234 calls, 17 v1  0:04 left"},
		{"without the time", half, 25, "50 %  1,234 calls, 17 v1"},
		{"calls alone", half, 20, "1,234 calls, 17 v1"},
		{"not even they", half, 10, "1,234 cal…"},
		{"at the start", Progress{Total: 100, Elapsed: time.Second}, 60, "[                       ]  0 %  0 B of 100 B  0 B/s  0 calls"},
		{"at the end", Progress{Read: 100, Total: 100, Elapsed: time.Second}, 62, "[========]  100 %  100 B of 100 B  100 B/s  0 calls  0:00 left"},
		{"a stream", stream, 120, "3.0 MiB read  1.5 MiB/s  1 call"},
		{"a stream on a narrow terminal", stream, 24, "3.0 MiB read  1 call"},
		{"a file that has grown", Progress{Read: 2000, Total: 1500, Elapsed: time.Second}, 120, "2.0 KiB read  2.0 KiB/s  0 calls"},
		{"a long time", Progress{Read: 1, Total: 7326, Elapsed: time.Second}, 30, "0 %  0 calls  2:02:05 left"},
		{"too long a time", Progress{Read: 1, Total: mib, Elapsed: time.Second}, 22, "0 %  0 calls"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := tt.p.Line(tt.width); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

func TestBytesText(t *testing.T) {
	for n, want := range map[float64]string{
		0: "0 B", 999: "999 B", 1000: "1.0 KiB", 1024: "1.0 KiB", 10188: "9.9 KiB", 10200: "10 KiB", 1022976: "999 KiB", 1024000: "1.0 MiB",
		5 << 30: "5.0 GiB", math.MaxInt64: "8.0 EiB",
	} {
		if got := bytesText(n); got != want {
			t.Errorf("%f is %s, want %s", n, got, want)
		}
	}
}

// Whatever there is to tell, it fits, and the calls are there if anything is.
func FuzzProgressLine(f *testing.F) {
	f.Add(int64(1), int64(2), int64(3), uint64(4), uint64(5), 79)
	f.Add(int64(math.MaxInt64), int64(math.MaxInt64), int64(1), uint64(math.MaxUint64), uint64(math.MaxUint64), 200)
	f.Add(int64(0), int64(1), int64(math.MaxInt64), uint64(0), uint64(0), 21)
	f.Fuzz(func(t *testing.T, read, total, elapsed int64, calls, v1 uint64, width int) {
		width = minStatus + int(uint(width)%200)
		p := Progress{Read: max(0, read), Total: max(0, total), Elapsed: time.Duration(max(0, elapsed)), Calls: calls, V1: v1}
		line := p.Line(width)
		if columns(line) > width || strings.ContainsAny(line, "\n\r\x1b") || strings.Contains(line, "-") || strings.Contains(line, "NaN") {
			t.Fatalf("%+v in %d columns: %q", p, width, line)
		}
		if shown := p.calls(); len(shown) <= width && !strings.Contains(line, shown) {
			t.Fatalf("%+v in %d columns: no calls in %q", p, width, line)
		}
	})
}
