// Command steps writes what report/steps has in it to files, with samples in the place of
// placeholders, so that scripts/test-steps can give them to the programs that they are for.
//
//	go run ./scripts/steps DIRECTORY
//
// DIRECTORY/SITUATION/STEP/1-way.sh is the first way of a step, and 1-undo.sh the first way
// back. DIRECTORY/samples.json lists the samples.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"imds-analyzer/report/steps"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "steps:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) != 1 {
		return errors.New("usage: steps DIRECTORY")
	}
	for name, situation := range situations() {
		for _, step := range steps.For(situation) {
			if name == manyName && step.ID != "systems-manager" {
				continue // the others would take a minute each
			}
			if err := writeStep(filepath.Join(args[0], name, step.ID), &step); err != nil {
				return err
			}
		}
	}
	return writeSamples(filepath.Join(args[0], "samples.json"))
}

func writeStep(dir string, s *steps.Step) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for kind, ways := range map[string][]steps.Way{"way": s.Ways, "undo": s.Undo} {
		for i := range ways {
			text, err := withSamples(ways[i].Text, s.Placeholders)
			if err != nil {
				return fmt.Errorf("%s: %w", s.ID, err)
			}
			if err := os.WriteFile(filepath.Join(dir, fileName(kind, i, &ways[i])), []byte(text), 0o644); err != nil {
				return err
			}
		}
	}
	return nil
}

// fileName is as the way itself wants it, or else tells which it is.
func fileName(kind string, i int, w *steps.Way) string {
	if named, ok := strings.CutPrefix(w.Name, "Policy "); ok {
		return named
	}
	ending := map[string]string{"typescript": "ts", "hcl": "tf"}[w.Language]
	if ending == "" {
		ending = w.Language
	}
	return fmt.Sprintf("%d-%s.%s", i+1, kind, ending)
}

func writeSamples(file string) error {
	data, err := json.Marshal(sampleValues())
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}
