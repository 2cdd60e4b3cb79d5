package capture

import (
	"bytes"
	"io"
	"math"
	"testing"
	"time"
)

func TestPcapngTimes(t *testing.T) {
	tests := []struct {
		name       string
		resolution string // value of if_tsresol, none if empty
		offset     int64
		units      uint64
		want       string
	}{
		{"default", "", 0, 1795408250_123456, "2026-11-23T04:30:50.123456Z"},
		{"seconds", "\x00", 0, 1795408250, "2026-11-23T04:30:50Z"},
		{"milliseconds", "\x03", 0, 1795408250_123, "2026-11-23T04:30:50.123Z"},
		{"nanoseconds", "\x09", 0, 1795408250_123456789, "2026-11-23T04:30:50.123456789Z"},
		{"100 ns", "\x07", 0, 1795408250_1234567, "2026-11-23T04:30:50.1234567Z"},
		{"10^-10, cut", "\x0a", 0, 1795408250_1234567899, "2026-11-23T04:30:50.123456789Z"},
		{"10^-19", "\x13", 1795408250, 12345678901234567890, "2026-11-23T04:30:51.234567890Z"},
		{"2^0", "\x80", 0, 1795408250, "2026-11-23T04:30:50Z"},
		{"2^-1", "\x81", 0, 1795408250*2 + 1, "2026-11-23T04:30:50.5Z"},
		{"2^-10", "\x8a", 0, 1795408250<<10 + 1, "2026-11-23T04:30:50.000976562Z"},
		{"2^-32 as NTP", "\xa0", -2208988800, (1795408250+2208988800)<<32 + 1<<31, "2026-11-23T04:30:50.5Z"},
		{"2^-63", "\xbf", 0, math.MaxUint64, "1970-01-01T00:00:01.999999999Z"},
		{"offset", "\x09", 1795408200, 50_000000001, "2026-11-23T04:30:50.000000001Z"},
		{"before 1970", "", -10, 1_500000, "1969-12-31T23:59:51.5Z"},
		{"year 9999", "\x00", 0, pcapngMaxSeconds, "9999-12-31T23:59:59Z"},
		{"year 1", "\x00", pcapngMinSeconds, 0, "0001-01-01T00:00:00Z"},
		{"most nanoseconds", "\x09", 0, math.MaxUint64, "2554-07-21T23:34:33.709551615Z"},
		// What no calendar has is no time: that of the packet before stands.
		{"year 10000", "\x00", 0, pcapngMaxSeconds + 1, ""},
		{"year 10000 by offset", "\x00", 1, pcapngMaxSeconds, ""},
		{"year 0", "\x00", pcapngMinSeconds - 1, 0, ""},
		{"most seconds", "\x00", 0, math.MaxUint64, ""},
		{"largest offset", "\x00", math.MaxInt64, 1 << 40, ""},
		{"smallest offset", "\x00", math.MinInt64, 0, ""},
	}
	for _, order := range pcapngOrders() {
		for _, test := range tests {
			t.Run(test.name+" "+order.String(), func(t *testing.T) {
				f := newPcapngBytes(order)
				offset := f.option(pcapngOptTsOffset, string(order.AppendUint64(nil, uint64(test.offset))))
				var resolution []byte
				if test.resolution != "" {
					resolution = f.option(pcapngOptTsResol, test.resolution)
				}
				f.iface(1, 0, resolution, offset).iface(1, 0)
				f.enhanced(1, 42, "", 0).enhanced(0, test.units, "", 0)
				packets, err := fileReadAll(bytes.NewReader(f.b))
				if err != io.EOF {
					t.Fatal(err)
				}
				want := packets[0].Time
				if test.want != "" {
					if want, err = time.Parse(time.RFC3339Nano, test.want); err != nil {
						t.Fatal(err)
					}
				}
				if got := packets[1].Time; !got.Equal(want) || got.Location() != time.UTC {
					t.Errorf("%s, want %s", got, want)
				}
			})
		}
	}
}
