package capture_test

import (
	"fmt"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// BenchmarkAnalyzer is the time that a packet of a real capture takes from
// its bytes to the calls.
func BenchmarkAnalyzer(b *testing.B) {
	for _, name := range []string{"cloud-init.pcap", "go-tools.pcapng", "container-nat-hostany.pcap"} {
		b.Run(name, func(b *testing.B) {
			packets := benchmarkPackets(b, "../testdata/captures/"+name)
			span := packets[len(packets)-1].Time.Sub(packets[0].Time) + time.Minute
			var found collector
			analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), &found)
			b.ReportAllocs()
			b.ResetTimer()
			for i := range b.N {
				p := packets[i%len(packets)]
				p.Time = p.Time.Add(time.Duration(i/len(packets)) * span)
				analyzer.Packet(&p)
				found.calls = found.calls[:0]
			}
		})
	}
}

func benchmarkPackets(b *testing.B, file string) []capture.Packet {
	b.Helper()
	source := packettest.Open(file)
	defer source.Close()
	var packets []capture.Packet
	for p, err := source.Next(); err == nil; p, err = source.Next() {
		p.Data = append([]byte(nil), p.Data...)
		packets = append(packets, *p)
	}
	if len(packets) == 0 {
		b.Fatal(fmt.Errorf("no packets in %s", file))
	}
	return packets
}
