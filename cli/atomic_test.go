package cli

import (
	"errors"
	"os"
	"path/filepath"
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
	put(".state.1", old)
	put(".state.18446744073709551615", old)
	kept := []string{
		put(".state.2", time.Now()), // is just being made
		put(".state.x", old), put(".state.", old), put(".state.1.gz", old), put(".other.1", old), put("state.1", old), put("state", old),
	}
	kept = append(kept, filepath.Join(dir, ".state.3"), filepath.Join(dir, ".state.4"))
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
	hidden, _ := filepath.Glob(filepath.Join(dir, ".*[0-9a-z.]"))
	left = append(left, hidden...)
	slices.Sort(left)
	left = slices.Compact(left)
	slices.Sort(kept)
	if err != nil || !slices.Equal(left, kept) {
		t.Errorf("left are %q, want %q, %v", left, kept, err)
	}
}
