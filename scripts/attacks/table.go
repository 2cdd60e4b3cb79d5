package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const tableHead = "| attack | peak RSS, honest calls right of made | attacker's calls told of answered | seconds | what was done and counted | |\n" +
	"| --- | --- | --- | --- | --- | --- |\n"

// row is the attack's line of the table that is printed. Its second column is what the
// tables in the documents have.
func (v *verdict) row(name string) string {
	result := "pass"
	if len(v.faults()) > 0 {
		result = "FAIL"
	}
	return fmt.Sprintf("| `%s` | %s | %s of %s | %.0f | %s | %s |", name, v.cell(),
		grouped(v.OthersReported), grouped(v.Others), v.Seconds, v.done(), result)
}

// cell is what the tables in the documents say of an attack.
func (v *verdict) cell() string {
	if v.Failed != "" {
		return "**failed**"
	}
	memory := fmt.Sprintf("%.0f MiB", float64(v.PeakRSS)/1024)
	if len(v.memoryFaults()) > 0 {
		memory = "**" + memory + "**"
	}
	calls := fmt.Sprintf("%d of %d", v.Right, v.Made)
	if v.Partly > 0 {
		calls += fmt.Sprintf(" (%d in part)", v.Partly)
	}
	if len(v.callFaults()) > 0 {
		calls = "**" + calls + "**"
	}
	words := []string{memory, calls, fmt.Sprintf("%.1f s of CPU", v.CPU)}
	if n := v.Counts.DroppedKernel + v.Counts.DroppedInterface; n > 0 {
		words = append(words, grouped(n)+" packets dropped")
	}
	if n := len(v.Other) + len(v.floorFaults()); n > 0 {
		words = append(words, fmt.Sprintf("**%d other faults**", n))
	}
	return strings.Join(words, ", ")
}

// done is what the attack has done, and what the program counts besides.
func (v *verdict) done() string {
	words := []string{fmt.Sprintf("honest calls due %d", v.Due), fmt.Sprintf("packets %s", grouped(v.Counts.Received))}
	for _, name := range slices.Sorted(maps.Keys(v.Notes)) {
		words = append(words, name+" "+grouped(v.Notes[name]))
	}
	c := v.Counts
	for _, counted := range []struct {
		name string
		n    uint64
	}{{"evicted", c.Evicted}, {"unknown", c.Unknown}, {"not HTTP", c.NotHTTP}, {"unmatched", c.Unmatched}, {"events lost", c.EventsLost}} {
		if counted.n > 0 {
			words = append(words, counted.name+" "+grouped(counted.n))
		}
	}
	return strings.Join(words, ", ")
}

// grouped is a number with its digits in threes.
func grouped(n uint64) string {
	text := strconv.FormatUint(n, 10)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

// errNoCell: a document has no place for a figure.
var errNoCell = errors.New("no such row or column")

// setCell puts a cell into the row of an attack in a document's tables: those whose head
// begins with the column "attack". A row begins with the attack's name as code.
func setCell(document []byte, attack, column, cell string) ([]byte, error) {
	at := -1 // the column, where a table of attacks is
	lines := bytes.SplitAfter(document, []byte("\n"))
	for i, line := range lines {
		cells := strings.Split(string(line), "|")
		switch {
		case len(cells) < 3:
			at = -1
		case strings.TrimSpace(cells[1]) == "attack":
			at = slices.IndexFunc(cells, func(c string) bool { return strings.TrimSpace(c) == column })
		case at > 0 && at < len(cells) && strings.HasPrefix(strings.TrimSpace(cells[1]), "`"+attack+"`"):
			cells[at] = " " + cell + " "
			lines[i] = []byte(strings.Join(cells, "|"))
			return bytes.Join(lines, nil), nil
		}
	}
	return nil, fmt.Errorf("%w: `%s`, %s", errNoCell, attack, column)
}
