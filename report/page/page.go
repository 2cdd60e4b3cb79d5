// Package page writes a report as one HTML page that stands for itself: it loads
// nothing, and runs no script.
package page

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io"
	"time"
	"unicode"
	"unicode/utf8"

	"imds-analyzer/report"
)

//go:embed templates
var files embed.FS

// maxBytes is what a page has at most, whatever is in the report: a mail takes it. It is
// the sum of its parts' bounds and of 224 KiB for what is bounded by itself: the style
// (12 KiB), the plot of 128 buckets and 3 * 128 marks, with its table (120 KiB), the
// verdict, and the words between.
const maxBytes = programBytes + v2Bytes + hostBytes + serviceBytes + stepBytes + inventoryBytes + readyBytes + 224<<10

// Made is by which version of the program a page was made, and when.
type Made struct {
	Version string
	At      time.Time
}

// Write writes the report as a page. What does not fit is counted on it; the JSON has
// all.
func Write(w io.Writer, r *report.Report, m Made) error {
	page, err := render(r, m)
	if err == nil {
		_, err = w.Write(page)
	}
	if err != nil {
		return fmt.Errorf("cannot write the report: %w", err)
	}
	return nil
}

func render(r *report.Report, m Made) ([]byte, error) {
	templates, err := parse()
	if err != nil {
		return nil, err
	}
	v, err := newView(r, m, templates)
	if err != nil {
		return nil, err
	}
	var page bytes.Buffer
	if err := templates.ExecuteTemplate(&page, "page.html", v); err != nil {
		return nil, err
	}
	return shown(page.Bytes()), nil
}

func parse() (*template.Template, error) {
	return template.New("").Funcs(words()).ParseFS(files, "templates/*.html")
}

// shown makes sure that each character of the page shows itself: names from outside
// may hold such as change the direction of text.
func shown(page []byte) []byte {
	return bytes.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return utf8.RuneError
	}, page)
}
