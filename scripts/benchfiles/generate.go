package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// recipe is one of the files.
type recipe struct {
	name string
	// size is how large the file is, in what write counts.
	size  int
	write func(t *trace, size int)
}

// recipes are the files in full size.
func recipes() []recipe {
	return []recipe{
		{"haystack", 1_430_000_000, haystack},
		{"needles", 200_000, needles},
		{"disorder", 200_000, disorder},
		{"open", 100_000, open},
		{"start", 20, needles},
	}
}

// pick returns the recipes with these names, all for none.
func pick(names []string) (picked []recipe, err error) {
	if len(names) == 0 {
		return recipes(), nil
	}
	for _, name := range names {
		found := false
		for _, r := range recipes() {
			if r.name == name {
				picked, found = append(picked, r), true
			}
		}
		if !found {
			return nil, fmt.Errorf("there is no file %q; there are haystack, needles, disorder, open and start", name)
		}
	}
	return picked, nil
}

// file is the recipe's capture file in a directory.
func (r recipe) file(dir string) string { return filepath.Join(dir, r.name+".pcap") }

// make writes what the recipe makes.
func (r recipe) make(out io.Writer) (truth, error) {
	t := newTrace(out)
	r.write(t, r.size)
	return t.finish()
}

// isThere says whether the directory has the file, whole and of this edition.
func (r recipe) isThere(dir string) bool {
	known, err := readTruth(r.file(dir))
	if err != nil || known.Edition != edition {
		return false
	}
	info, err := os.Stat(r.file(dir))
	return err == nil && info.Size() == known.Bytes
}

// generate writes the files that the directory has not, and says so.
func generate(dir string, picked []recipe, out io.Writer) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for _, r := range picked {
		if r.isThere(dir) {
			continue
		}
		known, err := r.generate(dir)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "made %s: %d MB, %d packets, %d calls\n", r.file(dir), known.Bytes/1e6, known.Packets, known.Calls)
	}
	return nil
}

// generate writes the file and, when it is whole, the truth about it.
func (r recipe) generate(dir string) (known truth, err error) {
	if err := os.Remove(truthFile(r.file(dir))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return truth{}, err
	}
	file, err := os.Create(r.file(dir))
	if err != nil {
		return truth{}, err
	}
	known, err = r.make(file)
	if err := errors.Join(err, file.Close()); err != nil {
		return truth{}, err
	}
	return known, known.save(r.file(dir))
}
