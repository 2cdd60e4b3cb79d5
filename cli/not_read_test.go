package cli_test

import (
	"fmt"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// ofLinkTypes are packets that nobody reads.
func ofLinkTypes(types ...capture.LinkType) []capture.Packet {
	packets := packettest.New().Packets()
	for _, link := range types {
		packets = append(packets, capture.Packet{Data: make([]byte, 60), Length: 60, LinkType: link})
	}
	return packets
}

// Packets of link types that are not known are told of. Only if there are no
// others is it a failure.
func TestPacketsThatAreNotRead(t *testing.T) {
	call := packettest.New()
	call.Open()
	exchange(call, "GET /latest/meta-data/ HTTP/1.1", "")
	good := call.Packets()
	many := func() (types []capture.LinkType) {
		for link := range capture.LinkType(9) {
			types = append(types, 300+link)
		}
		return append(types, 105, 105)
	}
	for _, tt := range []struct {
		name    string
		packets []capture.Packet
		status  int
		says    string
	}{
		{"none", good, 0, ""},
		{"one", append(ofLinkTypes(9), good...), 0, "1 packet has the link type 9 (PPP), which is not read"},
		{"some", append(ofLinkTypes(9, 300, 300), good...), 0, "3 packets have link types that are not read: 300, 9 (PPP)"},
		{"many", append(ofLinkTypes(many()...), good...), 0,
			"11 packets have link types that are not read: 105 (IEEE 802.11, as in monitor mode), 300, 301, 7 more"},
		{"all", ofLinkTypes(189, 189), 1, "2 packets have the link type 189 (USB), which is not read; what `tcpdump -i any` captures can be read"},
		{"no packet", nil, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r := run("-r", save(t, tt.packets), "--format", "json")
			if r.status != tt.status {
				t.Errorf("exit status %d: %s", r.status, r.err)
			}
			said, summary, _ := strings.Cut(r.err, "\n")
			switch {
			case tt.says == "":
				if strings.Contains(r.err, "imds-analyzer: ") {
					t.Errorf("it says %s", r.err)
				}
				return
			case said != "imds-analyzer: "+tt.says:
				t.Errorf("it says %q", said)
			case tt.status != 0:
				oneLine(t, r.err)
			case !strings.Contains(summary, "Not read: ") || !strings.Contains(summary, "not read.\n"):
				t.Errorf("the summary is %s", summary)
			}
			callsOf(t, r.out)
			var n int
			fmt.Sscan(tt.says, &n)
			if !strings.Contains(r.out, fmt.Sprintf(`"packets_not_read":%d,`, n)) {
				t.Errorf("the log is %s", r.out)
			}
		})
	}
}
