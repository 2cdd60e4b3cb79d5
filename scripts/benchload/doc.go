package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
)

// errNoMark: a document has no place for a part's table.
var errNoMark = errors.New("no such mark")

// setTable puts the table of a part behind its mark, a line of its own, in the place of
// the one that stands there.
func setTable(document []byte, part, table string) ([]byte, error) {
	mark := "\n<!-- " + part + " -->\n"
	before, rest, found := bytes.Cut(document, []byte(mark))
	if !found {
		return nil, fmt.Errorf("%w: %s", errNoMark, strings.TrimSpace(mark))
	}
	for bytes.HasPrefix(rest, []byte("|")) {
		_, rest, _ = bytes.Cut(rest, []byte("\n"))
	}
	if len(rest) > 0 && rest[0] != '\n' {
		table += "\n" // a table ends with an empty line
	}
	return bytes.Join([][]byte{before, []byte(mark), []byte(table), rest}, nil), nil
}

// tableOf leaves out of what a part has printed all that is not its table.
func tableOf(printed string) string {
	var table strings.Builder
	for line := range strings.Lines(printed) {
		if strings.HasPrefix(line, "|") {
			table.WriteString(line)
		}
	}
	return table.String()
}

// checkDocument looks for the marks of all parts that are wanted, before they take time.
func (p *plan) checkDocument() error {
	if p.document == "" {
		return nil
	}
	text, err := os.ReadFile(p.document)
	for _, part := range allParts() {
		if err == nil && p.wants(part) {
			_, err = setTable(text, part, "")
		}
	}
	return err
}

// publish puts what a part has printed into the document, if there is to be one.
func (p *plan) publish(part, printed string) error {
	if p.document == "" {
		return nil
	}
	text, err := os.ReadFile(p.document)
	if err == nil {
		text, err = setTable(text, part, tableOf(printed))
	}
	if err != nil {
		return err
	}
	return os.WriteFile(p.document, text, 0o644)
}
