package cli_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// The text of a capture over some days tells them apart.
func TestTextHasDates(t *testing.T) {
	var packets []capture.Packet
	for i, day := range []string{"2020-02-28", "2020-02-28", "2020-02-29", "2020-03-02"} {
		at, err := time.ParseInLocation(time.DateOnly, day, time.Local)
		if err != nil {
			t.Fatal(err)
		}
		c := packettest.From(fmt.Sprintf("10.0.0.7:%d", 40001+i))
		c.Now = at.Add(time.Duration(i) * time.Hour)
		c.Open()
		exchange(c, "GET /"+day+" HTTP/1.1", "")
		packets = append(packets, c.Packets()...)
	}
	r := runOn(strings.NewReader(pcapng(t, packets)), "-r", "-", "--format", "text")
	var got []string
	for line := range strings.Lines(r.out) {
		fields := strings.Fields(line)
		got = append(got, fields[min(3, len(fields)-1)])
	}
	want := "2020-02-28 /2020-02-28 /2020-02-28 2020-02-29 /2020-02-29 2020-03-02 /2020-03-02"
	if strings.Join(got, " ") != want || r.status != 0 {
		t.Errorf("exit status %d: %s", r.status, r.out)
	}
}
