package pagetest

import (
	_ "embed"
	"fmt"
	"testing"
)

//go:embed contrast.js
var contrast string

// check is what must not be true of a page as it is shown, in words; empty if all is
// well.
type check struct {
	name   string
	script string // lists what is wrong
}

func checks() []check {
	return []check{
		{"contrast", contrast},
		{"scrolling", `(() => {
			const room = document.documentElement.clientWidth, wide = document.documentElement.scrollWidth
			if (wide <= room) return []
			const out = [...document.querySelectorAll("body *")].filter(e => e.getBoundingClientRect().right > room && !e.closest("pre, .wide, svg"))
			return ["the page is " + wide + " wide, in a window of " + room + ", for " + out.slice(0, 3).map(e => e.outerHTML.slice(0, 100)).join("; ")]
		})()`},
		{"markup", `[...document.querySelectorAll("script, img, iframe, object, embed, link, form, base, b > *, bdi > *, code > *")].map(e => e.outerHTML.slice(0, 100))`},
		{"size of text", `[...document.querySelectorAll("body *")].filter(e => e.innerText && parseFloat(getComputedStyle(e).fontSize) < 11).map(e => e.tagName + ": " + e.innerText.slice(0, 40))`},
	}
}

// shownFaults are listed of each kind: of a thousand hosts there would be many.
const shownFaults = 5

// wrong lists what is wrong with a page that is loaded.
func wrong(t *testing.T, b *browser) (all []string) {
	t.Helper()
	for _, c := range checks() {
		found := evaluate[[]string](t, b, c.script)
		for _, what := range found[:min(shownFaults, len(found))] {
			all = append(all, fmt.Sprintf("%s: %s", c.name, what))
		}
	}
	for _, did := range b.taken() {
		all = append(all, "it "+did)
	}
	return all
}
