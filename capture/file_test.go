package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"
)

const fileCaptures = "../testdata/captures"

// fileCapture returns the bytes of one of the real captures.
func fileCapture(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(fileCaptures, name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// openFile returns the Source of a capture file.
func openFile(name string, sieve *Sieve) (Source, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	source, err := asSource(fileOpen(fileInput{Reader: file, name: name, closer: file}, sieve))
	if err != nil {
		_ = file.Close() // it was only read
	}
	return source, err
}

// newReader returns the Source of what r holds.
func newReader(r io.Reader, sieve *Sieve) (Source, error) {
	return asSource(fileOpen(fileInput{Reader: r}, sieve))
}

// asSource makes no Source of none.
func asSource(s *fileSource, err error) (Source, error) {
	if err != nil {
		return nil, err
	}
	return s, nil
}

// fileReadAll returns copies of all packets in r and the error at the end,
// which may be that of newReader.
func fileReadAll(r io.Reader) ([]Packet, error) {
	source, err := newReader(r, nil)
	if err != nil {
		return nil, err
	}
	return fileDrain(source)
}

func fileDrain(source Source) (packets []Packet, err error) {
	for {
		p, err := source.Next()
		if err != nil {
			return packets, err
		}
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, *p)
	}
}

// fileSamePackets compares all fields of packets.
func fileSamePackets(t testing.TB, got, want []Packet) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d packets, want %d", len(got), len(want))
	}
	for i := range got {
		g, w := got[i], want[i]
		if !bytes.Equal(g.Data, w.Data) {
			t.Fatalf("packet %d: data % x, want % x", i, g.Data, w.Data)
		}
		if !reflect.DeepEqual(g.Sender, w.Sender) {
			t.Fatalf("packet %d: sender %+v, want %+v", i, g.Sender, w.Sender)
		}
		g.Data, w.Data, g.Sender, w.Sender = nil, nil, nil, nil
		if a, b := fmt.Sprintf("%+v", g), fmt.Sprintf("%+v", w); a != b {
			t.Fatalf("packet %d: %s, want %s", i, a, b)
		}
	}
}

// The numbers are those that tshark gives for the same files: packets, bytes
// on the wire and captured, time of the first and of the last packet.
func TestFileRealCaptures(t *testing.T) {
	tests := []struct {
		name             string
		link             LinkType
		iface            string
		packets          int
		length, captured int
		first, last      string
	}{
		{"cloud-init.pcap", LinkEthernet, "", 1800, 200250, 200250, "1795408268.727819000", "1795408273.864907000"},
		{"container-nat-hostany.pcap", LinkLinuxSLL2, "", 353, 52824, 52824, "1795408564.279198000", "1795408567.639279000"},
		{"curl-eth.pcap", LinkEthernet, "", 254, 30422, 30422, "1795408214.494912980", "1795408216.926499864"},
		{"ec2-tools-snap120.pcap", LinkEthernet, "", 776, 82041, 60780, "1795408256.261219000", "1795408258.644382000"},
		{"fallback-403.pcap", LinkEthernet, "", 303, 41301, 41301, "1795408334.148304000", "1795408338.161700000"},
		{"fallback-puthang.pcap", LinkEthernet, "", 702, 75941, 75941, "1795408358.355353000", "1795408458.899773000"},
		{"npm-http.pcap", LinkLinuxSLL, "", 114, 18657, 18657, "1795408316.201554000", "1795408316.367777000"},
		{"proxy-haproxy-any.pcap", LinkLinuxSLL2, "", 106, 15076, 15076, "1795408586.071219000", "1795408587.149527000"},
		{"segmented.pcap", LinkEthernet, "", 495, 58236, 58236, "1795408830.454268000", "1795408832.384318000"},
		{"boto.pcapng", LinkEthernet, "eth0", 324, 42546, 42546, "1795408249.850021481", "1795408254.141975247"},
		{"curl-ipv6.pcapng", LinkEthernet, "eth0", 330, 57011, 57011, "1795408223.962106703", "1795408229.584584341"},
		{"go-tools.pcapng", LinkLinuxSLL, "any", 149, 24926, 24926, "1795408278.842695472", "1795408310.375887012"},
		{"ec2-tools-lo.pcap.gz", LinkEthernet, "", 776, 82041, 82041, "1795408260.198514000", "1795408262.422461000"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			source, err := openFile(filepath.Join(fileCaptures, test.name), nil)
			if err != nil {
				t.Fatal(err)
			}
			packets, err := fileDrain(source)
			if err != io.EOF {
				t.Fatalf("ended with %v", err)
			}
			if err := source.Close(); err != nil {
				t.Fatal(err)
			}
			length, captured := 0, 0
			for _, p := range packets {
				length += p.Length
				captured += len(p.Data)
				if p.LinkType != test.link || p.Interface != test.iface || p.InterfaceID != 0 {
					t.Fatalf("link type %d, interface %d %q", p.LinkType, p.InterfaceID, p.Interface)
				}
			}
			if len(packets) != test.packets || length != test.length || captured != test.captured {
				t.Fatalf("%d packets, length %d, captured %d", len(packets), length, captured)
			}
			if got := fileEpoch(packets[0].Time); got != test.first {
				t.Errorf("first at %s, want %s", got, test.first)
			}
			if got := fileEpoch(packets[len(packets)-1].Time); got != test.last {
				t.Errorf("last at %s, want %s", got, test.last)
			}
		})
	}
}

// The table above must not miss a capture that is added.
func TestEveryRealCaptureEndsWhole(t *testing.T) {
	names, err := filepath.Glob(filepath.Join(fileCaptures, "*.pcap*"))
	if err != nil || len(names) < 13 {
		t.Fatal(len(names), err)
	}
	for _, name := range names {
		source, err := openFile(name, nil)
		if err != nil {
			t.Fatal(err)
		}
		if packets, err := fileDrain(source); err != io.EOF || len(packets) == 0 {
			t.Errorf("%s: %d packets, %v", name, len(packets), err)
		}
		source.Close()
	}
}

func fileEpoch(t time.Time) string { return fmt.Sprintf("%d.%09d", t.Unix(), t.Nanosecond()) }

// However the bytes come in pieces, the packets are the same.
func TestNewReaderInPieces(t *testing.T) {
	for name, data := range map[string][]byte{
		"pcap":   fileCapture(t, "curl-eth.pcap"),
		"pcapng": fileCapture(t, "boto.pcapng"),
		"gzip":   fileCapture(t, "ec2-tools-lo.pcap.gz"),
		"zstd":   fileZstded(t, fileCapture(t, "curl-eth.pcap")),
	} {
		want, err := fileReadAll(bytes.NewReader(data))
		if err != io.EOF {
			t.Fatal(err)
		}
		for pieces, r := range map[string]io.Reader{
			"one byte":       iotest.OneByteReader(bytes.NewReader(data)),
			"half":           iotest.HalfReader(bytes.NewReader(data)),
			"end with data":  iotest.DataErrReader(bytes.NewReader(data)),
			"empty at times": &fileStutter{r: bytes.NewReader(data)},
		} {
			t.Run(name+" "+pieces, func(t *testing.T) {
				got, err := fileReadAll(r)
				if err != io.EOF {
					t.Fatal(err)
				}
				fileSamePackets(t, got, want)
			})
		}
	}
}

// fileStutter returns nothing and no error every other time.
type fileStutter struct {
	r     io.Reader
	quiet bool
}

func (s *fileStutter) Read(p []byte) (int, error) {
	if s.quiet = !s.quiet; s.quiet {
		return 0, nil
	}
	return s.r.Read(p[:min(len(p), 100)])
}

func TestFileIsDirectory(t *testing.T) {
	dir := t.TempDir()
	_, err := openFile(dir, nil)
	var path *fs.PathError
	if want := "read " + dir + ": is a directory"; !errors.As(err, &path) || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestFileErrorsNameTheFile(t *testing.T) {
	data := fileCapture(t, "npm-http.pcap")
	name := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(name, data[:len(data)-1], 0o600); err != nil {
		t.Fatal(err)
	}
	source, err := openFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	packets, err := fileDrain(source)
	if len(packets) != 113 || !errors.Is(err, ErrTruncated) {
		t.Fatalf("%d packets, %v", len(packets), err)
	}
	want := name + ": the capture is cut off (after packet 113, at byte "
	if !strings.HasPrefix(err.Error(), want) {
		t.Errorf("%q, want %q...", err, want)
	}
}

// The input's own error is neither a cut nor damage, and packets before it are
// handed out.
func TestNewReaderPassesErrors(t *testing.T) {
	broken := errors.New("input/output error")
	for name, data := range map[string][]byte{
		"pcap":   fileCapture(t, "npm-http.pcap"),
		"pcapng": fileCapture(t, "go-tools.pcapng"),
		"gzip":   fileCapture(t, "ec2-tools-lo.pcap.gz"),
		"zstd":   fileZstded(t, fileCapture(t, "npm-http.pcap")),
	} {
		for _, n := range []int{0, 1, 10, len(data) / 2, len(data)} {
			packets, err := fileReadAll(io.MultiReader(bytes.NewReader(data[:n]), iotest.ErrReader(broken)))
			if err != broken || n == len(data) && len(packets) < 100 {
				t.Errorf("%s cut at %d: %d packets, %v", name, n, len(packets), err)
			}
		}
	}
	if _, err := newReader(&fileStutter{r: fileSilent{}}, nil); err != io.ErrNoProgress {
		t.Error(err)
	}
}

type fileSilent struct{}

func (fileSilent) Read([]byte) (int, error) { return 0, nil }
