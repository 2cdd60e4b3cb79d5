package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// smallRecipes are the files, small.
func smallRecipes() []recipe {
	sizes := map[string]int{"haystack": 40_000_000, "needles": 400, "disorder": 400, "open": 300, "start": 20}
	all := recipes()
	for i := range all {
		all[i].size = sizes[all[i].name]
	}
	return all
}

func small(t *testing.T, name string) ([]byte, truth) {
	t.Helper()
	for _, r := range smallRecipes() {
		if r.name == name {
			return written(t, r)
		}
	}
	t.Fatalf("no recipe %s", name)
	return nil, truth{}
}

func written(t *testing.T, r recipe) ([]byte, truth) {
	t.Helper()
	var file bytes.Buffer
	known, err := r.make(&file)
	if err != nil {
		t.Fatal(err)
	}
	return file.Bytes(), known
}

// observer counts what the program's own reader finds.
type observer struct {
	found       truth
	unknown     int
	tuples      map[netip.AddrPort]bool
	answered    int
	openAtFirst int // connections at the first call
}

func (o *observer) Unanswered(imds.Call) {}

func (o *observer) Opened(c imds.Conn) {
	o.found.Connections++
	o.tuples[c.Client] = true
}

func (o *observer) Call(c imds.Call) {
	if o.found.Calls == 0 {
		o.openAtFirst = o.found.Connections
	}
	o.found.Calls++
	switch c.Request.Version() {
	case imds.V1:
		o.found.V1++
	case imds.V2:
		o.found.V2++
	default:
		o.unknown++
	}
	if c.Response != nil && c.Response.Status == 200 {
		o.answered++
	}
}

func (o *observer) Closed(imds.Conn) {}

func observe(t *testing.T, file []byte) *observer {
	t.Helper()
	seen := &observer{tuples: make(map[netip.AddrPort]bool)}
	analyzer := capture.NewAnalyzer(imds.DefaultEndpoints(), capture.OfflineLimits(), seen)
	packets(t, file, analyzer.Packet)
	analyzer.Flush()
	stats := analyzer.Stats()
	seen.found.Packets, seen.found.IMDSPackets = int(stats.Packets), int(stats.Segments)
	return seen
}

// packets hands out the packets of a capture file.
func packets(t *testing.T, file []byte, visit func(*capture.Packet)) {
	t.Helper()
	source := packettest.Read(bytes.NewReader(file), nil)
	defer source.Close()
	for {
		p, err := source.Next()
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		visit(p)
	}
}

// What the generator says of a file is what the program finds in it.
func TestTruth(t *testing.T) {
	for _, r := range smallRecipes() {
		t.Run(r.name, func(t *testing.T) {
			file, known := written(t, r)
			seen := observe(t, file)
			want := known
			want.Edition, want.Bytes, want.Reordered, want.Repeated = 0, 0, 0, 0
			if seen.found != want {
				t.Errorf("found %+v, want %+v", seen.found, want)
			}
			if seen.unknown > 0 || seen.answered != known.Calls {
				t.Errorf("%d unknown calls, %d of %d answered", seen.unknown, seen.answered, known.Calls)
			}
			if known.Bytes != int64(len(file)) || known.Edition != edition {
				t.Errorf("the truth is %+v, the file has %d bytes", known, len(file))
			}
			if known.V1 == 0 || known.V2 == 0 || known.V1+known.V2 != known.Calls {
				t.Errorf("of %d calls %d are v1 and %d v2", known.Calls, known.V1, known.V2)
			}
			if len(seen.tuples) != known.Connections {
				t.Errorf("%d connections have %d tuples", known.Connections, len(seen.tuples))
			}
		})
	}
}

// The same recipe makes the same file. Where a hash is another one than it
// was, raise edition: files of the former are made anew then.
func TestSameBytes(t *testing.T) {
	want := map[string]string{
		"haystack": "00b22abe08a6a914",
		"needles":  "2cd8cef87e014a2b",
		"disorder": "45f45a968f7e2122",
		"open":     "d70ec5ccce47a123",
		"start":    "793d44a61195c051",
	}
	for _, r := range smallRecipes() {
		t.Run(r.name, func(t *testing.T) {
			first, _ := written(t, r)
			second, _ := written(t, r)
			if !bytes.Equal(first, second) {
				t.Error("two runs made two files")
			}
			hash := sha256.Sum256(first)
			if got := hex.EncodeToString(hash[:8]); got != want[r.name] {
				t.Errorf("the file's hash is %s, was %s", got, want[r.name])
			}
		})
	}
}

func TestSizes(t *testing.T) {
	for _, name := range []string{"needles", "disorder"} {
		if _, known := small(t, name); known.Calls != 400 || known.Bytes < 400*1500 || known.Bytes > 400*2500 {
			t.Errorf("%s: %d calls in %d bytes, want 400 of about 2,000 bytes each", name, known.Calls, known.Bytes)
		}
	}
	// The last session is written to its end, and may be one too many.
	const longest = 60 // segments
	_, known := small(t, "haystack")
	if least := known.Packets / 1000; known.IMDSPackets < least || known.IMDSPackets > least+longest {
		t.Errorf("haystack: %d of %d packets are of calls", known.IMDSPackets, known.Packets)
	}
	if known.Bytes < 40_000_000 || known.Bytes > 41_000_000 {
		t.Errorf("haystack: %d bytes", known.Bytes)
	}
}

// All connections are open, and all first halves there, before the first
// request is whole.
func TestOpenAtOnce(t *testing.T) {
	file, known := small(t, "open")
	seen := observe(t, file)
	if known.Connections != 300 || seen.openAtFirst != 300 {
		t.Errorf("%d connections, of which %d were open at the first call; want 300", known.Connections, seen.openAtFirst)
	}
}

// What is late and what is repeated is there, and as often as it should be.
func TestDisorder(t *testing.T) {
	file, known := small(t, "disorder")
	late, again := 0, 0
	ends := make(map[string]uint32) // of a sender: the sequence number that is due
	packets(t, file, func(p *capture.Packet) {
		sender := string(p.Data[26:38]) // addresses and ports
		sequence := bigEndian(p.Data[38:42])
		end, known := ends[sender]
		payload := uint32(len(p.Data) - 34 - int(p.Data[46]>>4)*4)
		after := sequence + payload + uint32(p.Data[47]&flagFIN) + uint32(p.Data[47]&flagSYN>>1)
		switch {
		case known && sequence > end:
			late++
		case known && after <= end && after > sequence:
			again++
		}
		ends[sender] = max(end, after)
	})
	// A segment that comes late without overtaking one of its own direction is not seen here.
	if late == 0 || again < known.Repeated/2 {
		t.Errorf("%d gaps and %d repeats are seen", late, again)
	}
	if !around(known.Reordered, known.Packets*3/100) || !around(known.Repeated, known.Packets/100) {
		t.Errorf("of %d segments %d come late and %d twice, want 3 and 1 %%", known.Packets, known.Reordered, known.Repeated)
	}
}

func bigEndian(b []byte) (n uint32) {
	for _, x := range b {
		n = n<<8 | uint32(x)
	}
	return n
}

// around: within a quarter.
func around(got, want int) bool { return got*4 >= want*3 && got*4 <= want*5 }

func TestDelay(t *testing.T) {
	one, other := &talk{}, &talk{}
	tests := []struct {
		name    string
		planned []segment
		n       int
		moved   bool
		want    string
	}{
		{"one on", []segment{{talk: one, seq: 1}, {talk: one, seq: 2}, {talk: one, seq: 3}}, 1, true, "213"},
		{"two on", []segment{{talk: one, seq: 1}, {talk: one, seq: 2}, {talk: one, seq: 3}}, 2, true, "231"},
		{"as far as there are", []segment{{talk: one, seq: 1}, {talk: one, seq: 2}}, 2, true, "21"},
		{"the last of its connection", []segment{{talk: one, seq: 1}, {talk: other, seq: 2}}, 1, false, "12"},
		{"the last", []segment{{talk: one, seq: 1}}, 1, false, "1"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			moved := delay(tt.planned, tt.n)
			order := ""
			for _, s := range tt.planned {
				order += string('0' + rune(s.seq))
			}
			if moved != tt.moved || order != tt.want {
				t.Errorf("moved: %v, order %s; want %v, %s", moved, order, tt.moved, tt.want)
			}
		})
	}
}

// A file that is there is not made again, one that is not whole or of another
// edition is.
func TestGenerate(t *testing.T) {
	dir := t.TempDir()
	start := recipe{"start", 20, needles}
	make := func() string {
		t.Helper()
		var said bytes.Buffer
		if err := generate(dir, []recipe{start}, &said); err != nil {
			t.Fatal(err)
		}
		return said.String()
	}
	if said := make(); !strings.Contains(said, "start.pcap") || !strings.Contains(said, "20 calls") {
		t.Errorf("said %q", said)
	}
	whole, err := os.ReadFile(start.file(dir))
	if err != nil {
		t.Fatal(err)
	}
	if said := make(); said != "" {
		t.Errorf("made it again: %q", said)
	}
	harms := map[string]func() error{
		"cut off":         func() error { return os.Truncate(start.file(dir), 1000) },
		"gone":            func() error { return os.Remove(start.file(dir)) },
		"without truth":   func() error { return os.Remove(truthFile(start.file(dir))) },
		"another edition": func() error { return truth{Edition: edition - 1, Bytes: int64(len(whole))}.save(start.file(dir)) },
		"damaged truth":   func() error { return os.WriteFile(truthFile(start.file(dir)), []byte("{"), 0o644) },
	}
	for name, harm := range harms {
		if err := harm(); err != nil {
			t.Fatal(err)
		}
		said := make()
		again, err := os.ReadFile(start.file(dir))
		if said == "" || err != nil || !bytes.Equal(again, whole) {
			t.Errorf("%s: said %q, error %v, %d bytes", name, said, err, len(again))
		}
	}
}

func TestPick(t *testing.T) {
	all, err := pick(nil)
	if err != nil || len(all) != 5 {
		t.Errorf("all: %d, %v", len(all), err)
	}
	some, err := pick([]string{"open", "start"})
	if err != nil || len(some) != 2 || some[0].name != "open" || some[1].name != "start" {
		t.Errorf("open and start: %v, %v", some, err)
	}
	if _, err := pick([]string{"open", "pins"}); err == nil || !strings.Contains(err.Error(), `"pins"`) {
		t.Errorf("pins: %v", err)
	}
}

type brokenWriter struct{}

func (brokenWriter) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// A disk that is full is an error, wherever it is noticed.
func TestMakeFails(t *testing.T) {
	for _, r := range smallRecipes() {
		if _, err := r.make(brokenWriter{}); !errors.Is(err, io.ErrShortWrite) {
			t.Errorf("%s: %v", r.name, err)
		}
	}
}
