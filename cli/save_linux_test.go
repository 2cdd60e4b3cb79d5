package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/capture/packettest"
	"imds-analyzer/imds"
)

// Packets that a file has no room for are missing from it, and counted; those that come
// when there is room again are in it, behind whole ones only.
func TestSavingGoesOn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "saved")
	at := time.Unix(1_800_000_000, 0)
	var told []string
	p := packetFileAt(t, name, &told)
	p.lasting, p.now = true, func() time.Time { return at }
	save := func(text string) { p.write(packetsOf(text)) }
	save("first")
	withoutRoom(t, p.writer.Whole()+10, func() { save("no room"); save("too soon"); at = at.Add(saveAgain); save("again none") })
	save("too soon again")
	at = at.Add(saveAgain)
	save("last")
	go p.writeAll()
	if err := p.Close(); err == nil || !strings.Contains(err.Error(), "4 packets are missing") {
		t.Errorf("it ended with %v", err)
	}
	if got := savedTexts(t, name); !slices.Equal(got, []string{"first", "last"}) || p.notSaved() != 4 {
		t.Errorf("saved were %q, %d are missing", got, p.notSaved())
	}
	if len(told) != 2 || !strings.Contains(told[0], "cannot be saved to "+name) || !strings.Contains(told[1], "saved to "+name+" again, 4 packets are missing") {
		t.Errorf("told was %q", told)
	}
}

// The file says what is missing from it also where saving has failed shortly before the end, or is
// cut off where there is no room to say so.
func TestFileSaysWhatIsMissing(t *testing.T) {
	for _, tt := range []struct {
		name             string
		failed, full     bool // the packet before the end could not be written, and the end
		lost, toldInFile uint64
		wantPartial, cut bool
	}{
		{name: "nothing is missing"},
		{name: "dropped", lost: 7, toldInFile: 7},
		{name: "room again at the end", failed: true, lost: 1, toldInFile: 1, wantPartial: true},
		{name: "no room at the end", full: true, lost: 7, cut: true},
		{name: "no room from then on", failed: true, full: true, lost: 1, wantPartial: true, cut: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			name := filepath.Join(t.TempDir(), "saved")
			var told []string
			p := packetFileAt(t, name, &told)
			p.lasting, p.lost = true, func() uint64 { return tt.lost }
			p.write(packetsOf("first"))
			if tt.failed {
				withoutRoom(t, p.writer.Whole()+10, func() { p.write(packetsOf("no room")) })
			}
			go p.writeAll()
			var err error
			end := func() { err = p.Close() }
			if tt.full {
				withoutRoom(t, p.writer.Whole()+10, end)
			} else {
				end()
			}
			if (err != nil) != (tt.full || tt.failed) || errors.Is(err, errPartial) != tt.wantPartial {
				t.Errorf("it ended with %v", err)
			}
			if packets, drops, cut := heldIn(name); packets != 1 || drops != tt.toldInFile || cut != tt.cut {
				t.Errorf("the file has %d packets and tells of %d; it is cut off: %v", packets, drops, cut)
			}
		})
	}
}

// heldIn is how many packets a file has, how many it says are missing, and whether it is cut off.
func heldIn(name string) (packets int, drops uint64, cut bool) {
	set := capture.NewFileSet([]capture.SetFile{{Name: name, Open: func() (io.ReadCloser, error) { return os.Open(name) }}}, nil)
	defer set.Close()
	for {
		_, err := set.Next()
		switch {
		case err == io.EOF:
			return packets, set.Drops(), cut
		case err != nil:
			cut = errors.Is(err, capture.ErrTruncated)
		default:
			packets++
		}
	}
}

// packetFileAt is a file that packets are saved to, and what people are told of it.
func packetFileAt(t *testing.T, name string, told *[]string) *packetFile {
	t.Helper()
	p, err := openPacketFile(t.Context(), io.Discard, name)
	if err != nil {
		t.Fatal(err)
	}
	p.comment = func(attribution.Answer, *imds.Note) string { return "" }
	p.tell = func(err error) { *told = append(*told, err.Error()) }
	if err := p.begin(); err != nil {
		t.Fatal(err)
	}
	return p
}

func packetsOf(texts ...string) (packets []saving) {
	for _, text := range texts {
		packet := capture.Packet{Data: []byte(text), Length: len(text), LinkType: capture.LinkEthernet}
		packets = append(packets, saving{Saved: capture.Saved{Packet: packet}})
	}
	return packets
}

// A reader who has gone gets no more packets: that one and all after are counted.
func TestPacketsMissingFromPipe(t *testing.T) {
	name := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(name, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(name, os.O_RDWR, 0) // waits for nobody
	if err != nil {
		t.Fatal(err)
	}
	var told []string
	p := packetFileAt(t, name, &told)
	p.write(packetsOf("read"))
	if err := reader.Close(); err != nil {
		t.Fatal(err)
	}
	go p.writeAll()
	for range 3 {
		p.add(&packetsOf("not read")[0])
	}
	if err := p.Close(); !errors.Is(err, unix.EPIPE) || p.notSaved() != 3 {
		t.Errorf("%v, %d are missing", err, p.notSaved())
	}
	if len(told) != 1 || !strings.Contains(told[0], "no longer saved to "+name) {
		t.Errorf("told was %q", told)
	}
}

// What is in a file that was deleted is missing. Others go to a new one, unless somebody
// else has given the name to a file.
func TestPacketFileIsDeleted(t *testing.T) {
	name := filepath.Join(t.TempDir(), "saved")
	at := time.Unix(1_800_000_000, 0)
	var told []string
	p := packetFileAt(t, name, &told)
	p.lasting, p.now = true, func() time.Time { return at }
	step := func(do error, texts ...string) {
		t.Helper()
		if do != nil {
			t.Fatal(do)
		}
		for _, text := range texts {
			p.write(packetsOf(text))
		}
		p.look()
	}
	step(nil, "kept")
	step(os.Remove(name), "a", "b") // with the first three
	step(nil, "c")
	if got := savedTexts(t, name); !slices.Equal(got, []string{"c"}) || p.notSaved() != 3 {
		t.Errorf("saved were %q, %d are missing", got, p.notSaved())
	}
	step(errors.Join(os.Remove(name), os.WriteFile(name, []byte("another's"), 0o600))) // c, too
	step(nil, "too soon")
	at = at.Add(saveAgain)
	step(nil, "not there")
	if got, err := os.ReadFile(name); string(got) != "another's" || p.notSaved() != 6 {
		t.Errorf("it has %q, %v; %d are missing", got, err, p.notSaved())
	}
	at = at.Add(saveAgain)
	step(os.Remove(name), "again")
	if got := savedTexts(t, name); !slices.Equal(got, []string{"again"}) {
		t.Errorf("saved were %q", got)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	go p.writeAll()
	if err := p.Close(); !errors.Is(err, errPartial) || !strings.Contains(err.Error(), name+" was deleted: 7 packets are missing") || p.notSaved() != 7 {
		t.Errorf("it ended with %v, %d are missing", err, p.notSaved())
	}
	for i, want := range []string{
		name + " was deleted: packets are saved to a new one, 3 packets are missing", "it was deleted, and cannot be made anew", "saved to " + name + " again, 6 packets are missing",
	} {
		if len(told) != 3 || !strings.Contains(told[i], want) {
			t.Fatalf("told was %q", told)
		}
	}
}

// A file that was deleted is found out though no packet comes.
func TestPacketFileIsDeletedInSilence(t *testing.T) {
	name := filepath.Join(t.TempDir(), "saved")
	var told []string
	p := packetFileAt(t, name, &told)
	p.lasting = true
	p.write(packetsOf("lost"))
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
	p.look()
	if p.notSaved() != 1 || len(told) != 1 {
		t.Errorf("%d are missing, told was %q", p.notSaved(), told)
	}
	go p.writeAll()
	if err := p.Close(); !errors.Is(err, errPartial) || len(savedTexts(t, name)) != 0 {
		t.Error(err)
	}
}

// The last line of the log tells of all packets that are missing, also of those that still waited to be
// saved when the capture ended.
func TestLastLineTellsWhatIsNotSaved(t *testing.T) {
	const packets = 1800
	name := filepath.Join(t.TempDir(), "saved")
	var log, stderr bytes.Buffer
	withoutRoom(t, 4<<10, func() {
		Main([]string{"-r", "../testdata/captures/cloud-init.pcap", "-w", name, "--format", "json"}, Streams{Out: &log, Err: &stderr})
	})
	debug.SetGCPercent(100) // as a run leaves the process with less
	saved, _, _ := heldIn(name)
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	want := fmt.Sprintf(`"packets_not_saved":%d,`, packets-saved)
	if last := lines[len(lines)-1]; saved == 0 || !strings.Contains(last, want) {
		t.Errorf("%d are saved: %s\n%s", saved, last, stderr.String())
	}
}

// The end of the log does not wait for packets that nobody takes, nor for room for the last ones.
func TestEndWithoutWaiting(t *testing.T) {
	tests := []struct {
		name  string
		taken int // of the room
	}{
		{"with room", 0},
		{"with too little room", maxSaving - 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			var told []string
			p := packetFileAt(t, filepath.Join(t.TempDir(), "saved"), &told)
			p.room.take(test.taken)
			p.add(&packetsOf("waits")[0])
			p.end(time.Millisecond)
			p.room.give(test.taken)
			go p.writeAll()
			if err := p.Close(); err != nil || p.saved != 1 {
				t.Errorf("%v, %d are saved", err, p.saved)
			}
		})
	}
	(*packetFile)(nil).end(time.Hour) // as without -w
}

// Of what was written no more memory is kept than packets of the usual sizes take.
func TestSpareSavings(t *testing.T) {
	for _, test := range []struct{ bytes, spare int }{{1 << 10, 1}, {saveBatch, 1}, {4 * saveBatch, 0}} {
		var told []string
		p := packetFileAt(t, filepath.Join(t.TempDir(), "saved"), &told)
		p.add(&packetsOf(strings.Repeat("x", test.bytes))[0])
		p.flush()
		go p.writeAll()
		if err := p.Close(); err != nil || len(p.spare) != test.spare {
			t.Errorf("%v, %d of %d bytes are kept", err, len(p.spare), test.bytes)
		}
	}
}

// A packet that the format has no room for is missing alone, and no reason to wait.
func TestPacketDoesNotFit(t *testing.T) {
	for _, lasting := range []bool{true, false} {
		name := filepath.Join(t.TempDir(), "saved")
		var told []string
		p := packetFileAt(t, name, &told)
		p.lasting = lasting
		packets := packetsOf("a", "unfit", "b", "unfit", "c")
		packets[1].Interface, packets[3].Interface = strings.Repeat("n", 1000), strings.Repeat("n", 1000)
		p.write(packets)
		go p.writeAll()
		if err := p.Close(); !errors.Is(err, errPartial) || p.notSaved() != 2 {
			t.Errorf("%v, %d are missing", err, p.notSaved())
		}
		if got := savedTexts(t, name); !slices.Equal(got, []string{"a", "b", "c"}) {
			t.Errorf("saved were %q", got)
		}
		if len(told) != 1 || !strings.Contains(told[0], "a packet is missing from "+name+": an interface name of 1000 bytes does not fit") {
			t.Errorf("told was %q", told)
		}
	}
}

// withoutRoom does something while files may not exceed a size (RLIMIT_FSIZE). It is for
// this whole process: no other test may write meanwhile.
func withoutRoom(t *testing.T, size int64, do func()) {
	t.Helper()
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: uint64(size), Max: before.Max}); err != nil {
		t.Fatal(err)
	}
	do()
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &before); err != nil {
		t.Fatal(err)
	}
}

func savedTexts(t *testing.T, name string) (texts []string) {
	t.Helper()
	source := packettest.Open(name)
	defer source.Close()
	for {
		packet, err := source.Next()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			return texts
		}
		texts = append(texts, string(packet.Data))
	}
}
