package cli_test

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
)

// Several files, directories and streams.

// packetsIn returns all packets of a capture.
func packetsIn(t *testing.T, name string) []capture.Packet {
	t.Helper()
	source := packettest.Open(captureOf(t, name))
	defer source.Close()
	var packets []capture.Packet
	for {
		p, err := source.Next()
		if err == io.EOF {
			return packets
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Data = bytes.Clone(p.Data)
		packets = append(packets, *p)
	}
}

// pcapng is a capture file with these packets.
func pcapng(t *testing.T, packets []capture.Packet) string {
	t.Helper()
	var data strings.Builder
	w, err := capture.NewPcapngWriter(&data, "test")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.WritePacket(p); err != nil {
			t.Fatal(err)
		}
	}
	return data.String()
}

// write writes a file into a directory, and returns its name.
func write(t *testing.T, dir, name, data string) string {
	t.Helper()
	name = filepath.Join(dir, name)
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

// setFiles is how many files a capture is split into: so many that a glob sorts
// them in another order than that in which they were written.
const setFiles = 12

// rotate splits a capture into the files of a ring whose oldest is number 5, some
// of them packed. The names are in the order of time.
func rotate(t *testing.T, name string) (dir string, files []string) {
	t.Helper()
	dir = t.TempDir()
	packets := packetsIn(t, name)
	for i := range setFiles {
		part := pcapng(t, packets[len(packets)*i/setFiles:len(packets)*(i+1)/setFiles])
		if i%3 == 1 {
			part = pack(t, part)
		}
		files = append(files, write(t, dir, fmt.Sprintf("ring.pcap%d", (i+5)%setFiles), part))
	}
	return dir, files
}

// between returns the lines of the log for calls.
func between(t *testing.T, log string) string {
	t.Helper()
	callsOf(t, log)
	lines := strings.SplitAfter(log, "\n")
	return strings.Join(lines[1:len(lines)-2], "")
}

// A set is read as if it were one file, in whatever order its files are named:
// connections go on from one file to the next.
func TestRotatedSetIsOneCapture(t *testing.T) {
	for _, name := range []string{"curl-eth", "ec2-tools-lo", "container-nat-hostany", "fallback-puthang"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want := succeeded(t, "-r", captureOf(t, name), "--format", "json")
			dir, files := rotate(t, name)
			sorted := slices.Sorted(slices.Values(files))
			if slices.Equal(sorted, files) {
				t.Fatal("the names are in the order of time")
			}
			reversed := slices.Clone(files)
			slices.Reverse(reversed)
			for how, named := range map[string][]string{
				"in order": files, "as a glob": sorted, "reversed": reversed, "directory": {dir},
				"directory and names": {sorted[3], dir, sorted[7]}, "twice": append(sorted, sorted...),
			} {
				got := succeeded(t, append([]string{"--format", "json", "-r"}, named...)...)
				if between(t, got.out) != between(t, want.out) || got.err != want.err {
					t.Errorf("%s: the log or the summary is not that of one file: %s", how, got.err)
				}
			}
		})
	}
}

// Each interface's packets in a file of its own are brought together again.
func TestParallelCapturesAreMerged(t *testing.T) {
	name := "container-nat-hostany"
	parts := map[uint32][]capture.Packet{}
	for _, p := range packetsIn(t, name) {
		index := binary.BigEndian.Uint32(p.Data[4:]) // LINKTYPE_LINUX_SLL2
		parts[index] = append(parts[index], p)
	}
	if len(parts) < 2 {
		t.Fatalf("%d interfaces", len(parts))
	}
	dir := t.TempDir()
	for index, packets := range parts {
		write(t, dir, fmt.Sprint("if", index), pcapng(t, packets))
	}
	r := succeeded(t, "-r", dir)
	checkSame(t, callsOf(t, r.out), truth(t, name))
}

// The same where only the files tell the interfaces apart: one has a container's
// packets as it sends them, another the same behind address translation.
func TestLegsInFilesOfTheirOwn(t *testing.T) {
	c := asks("10.0.0.7:40001", "/first", "/second")
	hops := packettest.InterfaceHops(netip.MustParseAddrPort("10.9.9.9:50001"))
	seen := map[int][]capture.Packet{}
	for _, p := range c.Trace().Through(hops...).Packets() {
		id := p.InterfaceID
		p.InterfaceID, p.Interface = 0, ""
		seen[id] = append(seen[id], p)
	}
	dir := t.TempDir()
	for id, packets := range seen {
		write(t, dir, fmt.Sprint("if", id), pcapng(t, packets))
	}
	if calls := callsOf(t, succeeded(t, "-r", dir).out); len(seen) < 2 || len(calls) != 2 || calls[0].source.String() != "10.0.0.7:40001" {
		t.Errorf("%d files: %v", len(seen), calls)
	}
}

// A file of a set that is cut off is told, and is no end: what comes behind it is
// read, and connections go on.
func TestCutFileInSet(t *testing.T) {
	name := "curl-eth"
	for _, packed := range []bool{false, true} {
		dir, files := rotate(t, name)
		middle := files[6] // not packed
		data := readFile(t, middle)
		more := pcapng(t, packetsIn(t, name)[:1])
		data += more[:len(more)-1] // a record is begun that has no end
		if packed {
			data = pack(t, data)
			data = data[:len(data)-1]
		}
		write(t, dir, filepath.Base(middle), data)
		r := run("--format", "json", "-r", dir)
		said, summary, _ := strings.Cut(r.err, "\n")
		if r.status != 3 || !strings.Contains(said, middle+": the capture is cut off") || !strings.Contains(said, "what comes before was read") {
			t.Errorf("exit status %d: %s", r.status, r.err)
		}
		if strings.Contains(summary, "imds-analyzer: ") || !strings.Contains(summary, "not all of the input could be read") {
			t.Errorf("the summary: %s", summary)
		}
		checkSame(t, callsOf(t, r.out), truth(t, name))
	}
}

func TestDirectory(t *testing.T) {
	boto := readFile(t, captureOf(t, "boto"))
	dir := t.TempDir()
	write(t, dir, "boto", boto)
	write(t, dir, "go.gz", pack(t, readFile(t, captureOf(t, "go-tools"))))
	write(t, dir, "without-packets", pcapng(t, nil))
	both := append(truth(t, "boto"), truth(t, "go-tools")...)
	r := succeeded(t, "-r", dir)
	checkSame(t, callsOf(t, r.out), both)
	if strings.Contains(r.err, "imds-analyzer: ") {
		t.Errorf("said: %s", r.err)
	}

	// What is not read is told: no captures, what is hidden, and other directories.
	write(t, dir, ".hidden", readFile(t, captureOf(t, "curl-eth")))
	write(t, dir, "notes.txt", "these are captures\n")
	write(t, dir, "empty", "")
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(dir, "sub"), "curl", readFile(t, captureOf(t, "curl-eth")))
	r = succeeded(t, "-r", dir)
	checkSame(t, callsOf(t, r.out), both)
	said, _, _ := strings.Cut(r.err, "\n")
	if want := "imds-analyzer: 4 of 7 in " + dir + " are passed over, which are hidden or no capture files: .hidden, empty, notes.txt and 1 more"; said != want {
		t.Errorf("said %q, want %q", said, want)
	}

	// What is named is read, whatever it is called.
	r = succeeded(t, "-r", filepath.Join(dir, ".hidden"), filepath.Join(dir, "sub"))
	checkSame(t, callsOf(t, r.out), truth(t, "curl-eth"))
}

// The lock that is beside a state is nothing to be told of. What only has such a name is.
func TestLockInDirectory(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "state.json", readFile(t, captureOf(t, "boto")))
	write(t, dir, "state.json.lock", "")
	if r := succeeded(t, "report", dir); r.err != "" {
		t.Errorf("said: %s", r.err)
	}
	write(t, dir, "other.lock", "")
	write(t, dir, "notes", "these are notes\n")
	write(t, dir, "notes.lock", "not empty\n")
	r := succeeded(t, "report", dir)
	if want := " are passed over, which are hidden or no logs, state files or capture files: notes, notes.lock, other.lock\n"; !strings.HasSuffix(r.err, want) {
		t.Errorf("said: %s", r.err)
	}
}

// A file that is called as standard input is, is itself.
func TestFileNamedAsStandardInput(t *testing.T) {
	data, want := readFile(t, captureOf(t, "boto")), truth(t, "boto")
	if _, err := schema(); err != nil { // is read where the test starts
		t.Fatal(err)
	}
	t.Chdir(t.TempDir())
	write(t, ".", "-", data)
	checkSame(t, callsOf(t, succeeded(t, "-r", ".").out), want)
}

// A saved file is not read and written over, also if a directory is read.
func TestDirectoryIsNotOverwritten(t *testing.T) {
	for _, flag := range []string{"-o", "-w"} {
		dir := t.TempDir()
		boto := readFile(t, captureOf(t, "boto"))
		there := write(t, dir, "boto", boto)
		r := run("-r", dir, flag, there)
		oneLine(t, r.err)
		if r.status != 2 || !strings.Contains(r.err, there+" is both read and written") || readFile(t, there) != boto {
			t.Errorf("%s: exit status %d, %s", flag, r.status, r.err)
		}
		succeeded(t, "-r", dir, flag, filepath.Join(dir, "new")) // is not there when it looks
	}
}

// arriving are streams: how what is written of a capture comes out at the other
// end, as soon as it is in.
var arriving = map[string]func(io.Writer) io.Writer{
	"plain": func(w io.Writer) io.Writer { return w },
	"gzip":  func(w io.Writer) io.Writer { return flushed{gzip.NewWriter(w)} },
}

type flushed struct{ *gzip.Writer }

func (f flushed) Write(p []byte) (int, error) {
	n, err := f.Writer.Write(p)
	if err == nil {
		err = f.Flush()
	}
	return n, err
}

// A call of a stream is shown when it is complete, however the stream is packed
// and whatever is written: the next one comes only after that.
func TestStreamIsShownAtOnce(t *testing.T) {
	targets := []string{"/first", "/second", "/third"}
	for packed, through := range arriving {
		for _, format := range []string{"json", "text"} {
			for _, before := range []string{"", captureOf(t, "boto")} {
				t.Run(fmt.Sprint(packed, " ", format, " ", before != ""), func(t *testing.T) {
					t.Parallel()
					args, n := []string{"--format", format, "-r", "-"}, 0
					if before != "" { // is read first
						args, n = append(args, before), len(truth(t, "boto"))
					}
					r := startThrough(t, through, args...)
					if format == "json" {
						n++
					}
					talk := asks("10.0.0.7:40001", targets...).Packets()
					for _, target := range targets {
						end := 1 + slices.IndexFunc(talk, func(p capture.Packet) bool { return bytes.Contains(p.Data, []byte("200 OK")) })
						r.write(t, talk[:end])
						talk = talk[end:]
						text := r.nextText(t)
						for ; n > 0; n-- {
							text = r.nextText(t)
						}
						if !strings.Contains(text, target) {
							t.Fatalf("for %s came %s", target, text)
						}
					}
					r.pipe.Close()
					for range r.lines {
					}
					want := map[string]int{"plain": 0, "gzip": 3}[packed] // which is flushed and not ended
					if ended := <-r.ended; ended.status != want {
						t.Errorf("%+v", ended)
					}
				})
			}
		}
	}
}

// Standard input that is named twice is read once.
func TestStandardInputTwice(t *testing.T) {
	r := runOn(strings.NewReader(readFile(t, captureOf(t, "boto"))), "-r", "-", "-")
	if checkSame(t, callsOf(t, r.out), truth(t, "boto")); r.status != 0 {
		t.Errorf("exit status %d: %s", r.status, r.err)
	}
}

// What was wrong with a file is told although the stream behind it has no end.
func TestFailureIsToldBeforeTheEnd(t *testing.T) {
	text := write(t, t.TempDir(), "text", "hello\n")
	r := start(t, "-r", text, "-r", "-", "--count", "1", "--format", "json")
	r.write(t, asks("10.0.0.7:40001", "/first").Packets())
	for range r.lines {
	}
	if ended := <-r.ended; ended.status != 1 || !strings.Contains(ended.err, text+": not a capture") || strings.Count(ended.err, text) != 1 {
		t.Errorf("%+v", ended)
	}
}

// Of the files of one time as many are read at once as can be open, or as there is memory for.
// The others are read, too, and it is told why that was late.
func TestTooManyFilesOfOneTime(t *testing.T) {
	for _, test := range []struct {
		name       string
		files      int
		pack       func(string) string
		says, late string
	}{
		{"in number", 80, func(s string) string { return s }, "So many files are captures of the same time that 16 of them", "16 files were"},
		{"in memory", 3, widelyPacked, "take so much memory, as they are packed with a wide window or have very large packets, that 1 of them", "1 file was"},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir := t.TempDir()
			for i := range test.files {
				write(t, dir, fmt.Sprint(i), test.pack(pcapng(t, asks(fmt.Sprintf("10.0.0.7:%d", 40001+i), "/x").Packets())))
			}
			r := succeeded(t, "-r", dir)
			if calls := callsOf(t, r.out); len(calls) != test.files {
				t.Errorf("%d calls of %d", len(calls), test.files)
			}
			if !strings.Contains(r.err, test.says) || !strings.Contains(r.err, ": "+test.late+" read behind others of ") || strings.Count(r.err, "behind the others") != 1 {
				t.Errorf("said: %s", r.err)
			}
		})
	}
}

// widelyPacked is a zstd frame of one raw block, with the window of zstd --long=27 (RFC 8878,
// sections 3.1.1.1 and 3.1.1.2).
func widelyPacked(data string) string {
	const window, last = (27 - 10) << 3, 1
	head := binary.LittleEndian.AppendUint32([]byte{0x28, 0xb5, 0x2f, 0xfd, 0, window}, uint32(len(data))<<3|last)
	return string(head[:len(head)-1]) + data // the block's header has 24 bits
}
