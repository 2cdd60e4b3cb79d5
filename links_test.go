package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+)$`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```")
	// notInAnchors is what an anchor leaves out of its heading.
	notInAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// Each link to a file of the repository leads to one, and to a heading in it.
func TestLinks(t *testing.T) {
	t.Parallel()
	pages, err := filepath.Glob("docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	links := 0
	for _, page := range append(pages, "README.md", "SECURITY.md") {
		for _, found := range link.FindAllStringSubmatch(textOf(t, page), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			links++
			name, anchor, hasAnchor := strings.Cut(found[1], "#")
			target := filepath.Join(filepath.Dir(page), name)
			if name == "" {
				target = page
			}
			if _, err := os.Stat(target); err != nil {
				t.Errorf("%s: %v", page, err)
			} else if hasAnchor && !anchorsOf(t, target)[anchor] {
				t.Errorf("%s: %s has no heading #%s", page, target, anchor)
			}
		}
	}
	if links < 50 {
		t.Errorf("%d links only", links)
	}
}

// textOf is a page without its examples of commands.
func textOf(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	return fenced.ReplaceAllString(string(text), "")
}

// anchorsOf are the names that a page's headings have in links.
func anchorsOf(t *testing.T, page string) map[string]bool {
	t.Helper()
	anchors := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(textOf(t, page), -1) {
		name := notInAnchors.ReplaceAllString(strings.ToLower(found[1]), "")
		anchors[strings.ReplaceAll(name, " ", "-")] = true
	}
	return anchors
}
