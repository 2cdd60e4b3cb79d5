package capture_test

import (
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// little are limits with which only so many bytes can wait.
func little(bytes int) capture.Limits {
	return capture.Limits{Connections: 300, HalfOpen: 100, ClosedConnections: 100, BufferedBytes: bytes}
}

// A segment that fills a hole is read before those that wait behind it, also where there is no
// room for one more: nothing is missing then.
func TestHoleFilledWithoutRoom(t *testing.T) {
	long := get("/filled", "X: "+strings.Repeat("x", 400))
	for _, test := range []struct {
		name                  string
		bytes, segment, first int
	}{
		{"memory is used up", 700, 200, 400},
		{"as many segments wait as may", 1 << 20, 1, 257},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := packettest.New()
			c.Step, c.SegmentSize = time.Microsecond, test.segment
			c.Open()
			c.Client(long[:test.first])
			data := c.Trace().Data(true)
			trace := c.Trace().Move(data[0], data[len(data)-1])
			c.SegmentSize = 1448
			opened := len(trace)
			c.Client(long[test.first:])
			c.Server(ok())
			found, _ := limited(little(test.bytes), append(trace, c.Trace()[opened:]...).Packets())
			if len(found.calls) != 1 || found.calls[0].Request.Incomplete != imds.Whole {
				t.Errorf("%d calls, the first %+v", len(found.calls), found.calls)
			}
		})
	}
}
