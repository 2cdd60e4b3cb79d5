package main

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestSetTable(t *testing.T) {
	const table = "| b |\n| --- |\n"
	for name, test := range map[string]struct{ document, want string }{
		"empty":             {"\n<!-- idle -->\n\ntext\n", "\n<!-- idle -->\n" + table + "\ntext\n"},
		"another table":     {"\n<!-- idle -->\n| a |\n| --- |\n| 1 |\n\n| c |\n", "\n<!-- idle -->\n" + table + "\n| c |\n"},
		"text without room": {"\n<!-- idle -->\n| a |\n## Next\n", "\n<!-- idle -->\n" + table + "\n## Next\n"},
		"at the end":        {"\n<!-- idle -->\n", "\n<!-- idle -->\n" + table},
		"no last newline":   {"\n<!-- idle -->\n| a |", "\n<!-- idle -->\n" + table},
		"the mark in text":  {"put behind `<!-- idle -->`\n\n<!-- idle -->\n", "put behind `<!-- idle -->`\n\n<!-- idle -->\n" + table},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := setTable([]byte(test.document), partIdle, table)
			if err != nil || string(got) != test.want {
				t.Errorf("%q, %v", got, err)
			}
			if again, err := setTable(got, partIdle, table); err != nil || string(again) != test.want {
				t.Errorf("once more: %q, %v", again, err)
			}
		})
	}
	if _, err := setTable([]byte("\n<!-- cost -->\n"), partIdle, table); !errors.Is(err, errNoMark) {
		t.Errorf("%v", err)
	}
}

// The document has a mark for each part, behind which nothing but its table stands.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/performance.md")
	if err != nil {
		t.Fatal(err)
	}
	p := &plan{document: filepath.Join(t.TempDir(), "performance.md")}
	if err := os.WriteFile(p.document, text, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.checkDocument(); err != nil {
		t.Fatal(err)
	}
	const table = "| a |\n| --- |\n"
	want := text
	for _, part := range allParts() {
		if err := p.publish(part, table+"FAILED: something\n| 1 |\n"); err != nil {
			t.Fatal(err)
		}
		if want, err = setTable(want, part, table+"| 1 |\n"); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(p.document); err != nil || string(got) != string(want) {
		t.Errorf("%v: %s", err, got)
	}
}

func TestDocumentIsMissing(t *testing.T) {
	name := filepath.Join(t.TempDir(), "none.md")
	p := &plan{document: name, parts: []string{partIdle}}
	if err := p.checkDocument(); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(name, []byte("\n<!-- cost -->\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := p.checkDocument(); !errors.Is(err, errNoMark) {
		t.Errorf("%v", err)
	}
	p.document = ""
	if err := errors.Join(p.checkDocument(), p.publish(partIdle, "")); err != nil {
		t.Errorf("without a document: %v", err)
	}
}
