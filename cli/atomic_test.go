package cli

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"testing"
	"time"
)

// What a killed program has left beside a file goes, and nothing else does.
func TestSweep(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "state")
	old := time.Now().Add(-2 * abandonedAfter)
	put := func(name string, at time.Time) string {
		name = filepath.Join(dir, name)
		if err := errors.Join(os.WriteFile(name, nil, logFileMode), os.Chtimes(name, at, at)); err != nil {
			t.Fatal(err)
		}
		return name
	}
	const mark, digits = ".state.imds-analyzer-", "0123456789abcdef"
	put(mark+digits, old)
	put(mark+"0000000000000000", old)
	kept := []string{
		put(mark+"0000000000000002", time.Now()), // is just being made
		put(".state.20261101", old), put(".state.18446744073709551615", old), put(mark, old), put(mark+"1", old), put(mark+digits+"0", old),
		put(mark+"0123456789ABCDEF", old), put(mark+digits+".gz", old), put(".other.imds-analyzer-"+digits, old), put(mark[1:]+digits, old), put("state", old),
	}
	if runtime.GOOS != "windows" { // one that has another name is no file that was left behind
		kept = append(kept, put(mark+"0000000000000005", old), filepath.Join(dir, "linked"))
		if err := os.Link(kept[len(kept)-2], kept[len(kept)-1]); err != nil {
			t.Fatal(err)
		}
	}
	kept = append(kept, filepath.Join(dir, mark+"0000000000000003"), filepath.Join(dir, mark+"0000000000000004"))
	if err := errors.Join(os.Mkdir(kept[len(kept)-2], 0o700), os.Symlink("state", kept[len(kept)-1])); err != nil {
		t.Fatal(err)
	}
	p, err := openPlace(file)
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.make(); err != nil { // another program makes one, and takes its time
		t.Fatal(err)
	}
	kept = append(kept, put(p.beside, old))
	sweep(file)
	left, err := filepath.Glob(filepath.Join(dir, "*"))
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*"))
	left = append(left, hidden...)
	slices.Sort(left)
	left = slices.Compact(left)
	slices.Sort(kept)
	if err != nil || !slices.Equal(left, kept) {
		t.Errorf("left are %q, want %q, %v", left, kept, err)
	}
}
