package main

import (
	"bytes"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"

	"imds-analyzer/capture"
)

// Another encoder writes the same bytes for what each packet holds: lengths,
// header lengths and checksums are right.
func TestFrames(t *testing.T) {
	for _, r := range smallRecipes() {
		t.Run(r.name, func(t *testing.T) {
			file, _ := written(t, r)
			kinds := make(map[gopacket.LayerType]int)
			packets(t, file, func(p *capture.Packet) {
				again, transport := reencode(t, p.Data)
				if !bytes.Equal(again, p.Data) {
					t.Fatalf("packet\n%x\nis\n%x\nwhen it is encoded again", p.Data, again)
				}
				if p.Length != len(p.Data) {
					t.Fatalf("%d of %d bytes captured", len(p.Data), p.Length)
				}
				kinds[transport]++
			})
			if kinds[layers.LayerTypeTCP] == 0 || (r.name == "haystack") != (kinds[layers.LayerTypeUDP] > 0) {
				t.Errorf("packets of TCP and UDP: %v", kinds)
			}
		})
	}
}

// reencode decodes a frame and encodes it with lengths and checksums computed.
func reencode(t *testing.T, frame []byte) ([]byte, gopacket.LayerType) {
	t.Helper()
	packet := gopacket.NewPacket(frame, layers.LayerTypeEthernet, gopacket.DecodeOptions{})
	ethernet, _ := packet.LinkLayer().(*layers.Ethernet)
	ip, _ := packet.NetworkLayer().(*layers.IPv4)
	if ethernet == nil || ip == nil || packet.TransportLayer() == nil {
		t.Fatalf("no TCP or UDP over IPv4 over Ethernet: %v", packet)
	}
	transport := packet.TransportLayer()
	switch l := transport.(type) {
	case *layers.TCP:
		l.SetNetworkLayerForChecksum(ip)
	case *layers.UDP:
		l.SetNetworkLayerForChecksum(ip)
	}
	out := gopacket.NewSerializeBuffer()
	err := gopacket.SerializeLayers(out, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		ethernet, ip, transport.(gopacket.SerializableLayer), gopacket.Payload(transport.LayerPayload()))
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), transport.LayerType()
}

// The examples of the sum that the RFCs leave open: odd lengths, a carry out
// of a carry.
func TestSetChecksum(t *testing.T) {
	tests := []struct {
		name    string
		data    []byte
		carried uint64
		want    [2]byte
	}{
		{"nothing", []byte{0, 0}, 0, [2]byte{0xff, 0xff}},
		{"RFC 1071, section 3", []byte{0, 0, 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7}, 0, [2]byte{0x22, 0x0d}},
		{"an odd length", []byte{0, 0, 0x12}, 0, [2]byte{0xed, 0xff}},
		{"a carry out of the carry", []byte{0, 0, 0xff, 0xff}, 0xffff_0001, [2]byte{0xff, 0xfe}},
		{"all ones", []byte{0, 0, 0xff, 0xff}, 0, [2]byte{0, 0}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			setChecksum(tt.data, 0, tt.carried)
			if got := [2]byte(tt.data[:2]); got != tt.want {
				t.Errorf("checksum %x, want %x", got, tt.want)
			}
		})
	}
}
