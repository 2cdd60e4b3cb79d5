package cli

import (
	"errors"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"imds-analyzer/attribution"
	"imds-analyzer/capture"
	"imds-analyzer/imds"
)

// Packets that a file has no room for are missing from it, and counted; those that come
// when there is room again are in it, behind whole ones only.
func TestSavingGoesOn(t *testing.T) {
	name := filepath.Join(t.TempDir(), "saved")
	p, err := openPacketFile(name)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Unix(1_800_000_000, 0)
	var told []string
	p.lasting, p.now = true, func() time.Time { return at }
	p.comment = func(attribution.Answer, *imds.Note) string { return "" }
	p.tell = func(err error) { told = append(told, err.Error()) }
	if err := p.begin(); err != nil {
		t.Fatal(err)
	}
	save := func(text string) {
		p.write(saving{Saved: capture.Saved{Packet: capture.Packet{Data: []byte(text), Length: len(text), LinkType: capture.LinkEthernet}}})
	}
	save("first")
	withoutRoom(t, p.blocks.size+10, func() { save("no room"); save("too soon"); at = at.Add(saveAgain); save("again none") })
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
	source, err := capture.OpenFile(name, nil)
	if err != nil {
		t.Fatal(err)
	}
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
