package main

import (
	"fmt"
	"io"
	"strings"
)

// printHead prints a table's head in Markdown.
func printHead(out io.Writer, columns ...string) {
	printRow(out, columns...)
	fmt.Fprintln(out, "|"+strings.Repeat(" --- |", len(columns)))
}

func printRow(out io.Writer, cells ...string) {
	fmt.Fprintln(out, "| "+strings.Join(cells, " | ")+" |")
}

// count has the thousands set apart.
func count(n int) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}

const mebibyte = 1 << 20

func mebibytes(bytes int64) string { return fmt.Sprintf("%.1f", float64(bytes)/mebibyte) }
