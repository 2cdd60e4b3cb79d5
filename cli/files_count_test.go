package cli

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const (
	countedPcap = "../testdata/captures/npm-http.pcap"
	countedGzip = "../testdata/captures/ec2-tools-lo.pcap.gz"
)

// opened returns the Source of what is named.
func opened(t *testing.T, stdin io.Reader, names ...string) *files {
	t.Helper()
	f, err := openFiles(t.Context(), options{read: names}, stdin, nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// readOn reads all of it.
func readOn(t *testing.T, f *files) (packets int) {
	t.Helper()
	for {
		switch _, err := f.Next(); err {
		case nil:
			packets++
		case io.EOF:
			return packets
		default:
			t.Fatal(err)
		}
	}
}

func checkProgress(t *testing.T, f *files, wantRead, wantTotal int64) {
	t.Helper()
	if read, total := f.progress(); read != wantRead || total != wantTotal {
		t.Errorf("%d bytes of %d, want %d of %d", read, total, wantRead, wantTotal)
	}
}

func sizeOf(t *testing.T, names ...string) (size int64) {
	t.Helper()
	for _, name := range names {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		size += info.Size()
	}
	return size
}

// All bytes count as they are on disk, also those of a file that is given up, and
// each file once.
func TestProgressOfFiles(t *testing.T) {
	dir := t.TempDir()
	bad, cut, empty := filepath.Join(dir, "bad"), filepath.Join(dir, "cut"), filepath.Join(dir, "empty")
	data, err := os.ReadFile(countedPcap)
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string][]byte{bad: make([]byte, 1<<20), cut: data[:1000], empty: nil} {
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, names := range [][]string{{countedPcap}, {countedGzip}, {countedPcap, bad, countedGzip, cut, countedPcap, empty}, {bad}} {
		f := opened(t, nil, names...)
		slices.Sort(names)
		total := sizeOf(t, slices.Compact(names)...)
		checkProgress(t, f, 0, total) // what is looked at is not read yet
		readOn(t, f)
		checkProgress(t, f, total, total)
	}
}

// How much a stream will have is not known.
func TestProgressOfStream(t *testing.T) {
	data, err := os.ReadFile(countedPcap)
	if err != nil {
		t.Fatal(err)
	}
	in, out := io.Pipe()
	f := opened(t, in, standardInput, countedGzip)
	go func() {
		out.Write(data)
		out.Close()
	}()
	readOn(t, f)
	checkProgress(t, f, int64(len(data))+sizeOf(t, countedGzip), -1)
}

// Standard input can be a file, whose size is known.
func TestProgressOfStandardInput(t *testing.T) {
	file, err := os.Open(countedPcap)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	f := opened(t, file, standardInput)
	size := sizeOf(t, countedPcap)
	checkProgress(t, f, 0, size)
	readOn(t, f)
	checkProgress(t, f, size, size)
}

// When the program is told to end, no more files are looked at.
func TestFilesAreNotLookedAtAfterTheEnd(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	found, err := findInputs(ended, fileSystem{}, []string{filepath.Dir(countedPcap)}, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range found.inputs {
		if !in.begins.IsZero() {
			t.Errorf("%s was looked at", in.name)
		}
	}
}
