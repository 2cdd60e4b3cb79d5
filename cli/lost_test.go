package cli_test

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// What is known to be missing is doubted again by who reads what was saved.
func TestSavedPacketsTellWhatIsMissing(t *testing.T) {
	directory := t.TempDir()
	at := func(name string) string { return filepath.Join(directory, name) }
	data := readFile(t, captureOf(t, "curl-eth"))
	if err := os.WriteFile(at("cut"), []byte(data[:len(data)-10]), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		from, to, doubt string
		status          int
	}{
		{at("cut"), "saved", "not all of the input could be read", 3},
		{at("saved"), "again", "1 packet was dropped", 3},
		{at("again"), "third", "1 packet was dropped", 3},
		{captureOf(t, "curl-eth"), "whole", "Nothing was lost", 0},
		{at("whole"), "copy", "Nothing was lost", 0},
	} {
		r := run("--format", "json", "-r", step.from, "-w", at(step.to))
		if r.status != step.status || !strings.Contains(r.err, step.doubt) {
			t.Errorf("%s: exit status %d, want %d; it should say %q: %s", step.to, r.status, step.status, step.doubt, r.err)
		}
		if lost := strings.Contains(r.out, `"packets_dropped_kernel":1`); lost != strings.Contains(step.doubt, "dropped") {
			t.Errorf("%s: the log tells of a packet that was dropped: %t", step.to, lost)
		}
	}
}

// What may hold requests and cannot be saved is doubted again, too.
func TestSavedPacketsTellWhatWasNotSaved(t *testing.T) {
	whole := packettest.New()
	whole.Open()
	whole.Client("GET /a HTTP/1.1\r\n\r\n")
	whole.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	whole.Close()
	old := packettest.From("10.0.0.7:7777")
	old.Open()
	old.Client("GET /\r\n\r\n")
	old.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	old.Close()
	short, strange := whole.Packets()[0], whole.Packets()[0]
	short.Data = short.Data[:30]
	strange.LinkType = 201
	for name, added := range map[string][]capture.Packet{"cut": {short}, "of another link": {strange}, "not HTTP/1": old.Packets()} {
		directory := t.TempDir()
		from, saved := filepath.Join(directory, "from"), filepath.Join(directory, "saved")
		if err := os.WriteFile(from, []byte(pcapngOf(t, append(whole.Packets(), added...))), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, args := range [][]string{{"-r", from, "-w", saved}, {"-r", saved}} {
			if r := run(append(args, "--format", "json")...); !strings.Contains(r.err, "There may be more IMDSv1 calls than these") {
				t.Errorf("%s, %q: %s", name, args[0], r.err)
			}
		}
	}
}

// However many packets a file says were lost, what is saved of it says so, too.
func TestSavedPacketsTellOfAnyNumber(t *testing.T) {
	var file bytes.Buffer
	w, err := capture.NewPcapngWriter(&file, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range onePacket() {
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.WriteDrops(math.MaxUint64-1, packettest.Start); err != nil {
		t.Fatal(err)
	}
	const half = "\x06\x00\x00\x00\x40\x00\x00\x00" // of a packet block
	directory := t.TempDir()
	from, saved := filepath.Join(directory, "from"), filepath.Join(directory, "saved")
	if err := os.WriteFile(from, append(file.Bytes(), half...), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{{"-r", from, "-w", saved}, {"-r", saved}} {
		if r := run(append(args, "--format", "json")...); r.status != 3 || !strings.Contains(r.err, "packets were dropped") {
			t.Errorf("%q: exit status %d: %s", args[0], r.status, r.err)
		}
	}
}

func onePacket() []capture.Packet {
	c := packettest.New()
	c.Open()
	return c.Packets()[:1]
}

// Requests in fragments are not in what is saved: who reads that is told that some may be missing.
func TestSavedFragmentsAreDoubted(t *testing.T) {
	c := packettest.New()
	c.Open()
	c.Client("GET /a HTTP/1.1\r\nHost: 169.254.169.254\r\n\r\n")
	c.Server("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
	c.Close()
	directory := t.TempDir()
	from, saved := filepath.Join(directory, "from"), filepath.Join(directory, "saved")
	if err := os.WriteFile(from, []byte(pcapngOf(t, fragments(c.Trace(), -1))), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		args []string
		says string
	}{
		{[]string{"-r", from, "-w", saved}, "Nothing was lost"},
		{[]string{"-r", saved}, "were cut by the snaplen"},
	} {
		if r := run(append(step.args, "--format", "json")...); !strings.Contains(r.err, step.says) {
			t.Errorf("%q: %s", step.args[0], r.err)
		}
	}
}
