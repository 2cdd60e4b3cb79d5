// Package pagetest looks at the report's page in a browser.
package pagetest

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

// Each page is readable in light and dark, on wide and narrow screens, folded and not,
// and does nothing that is told.
func TestPages(t *testing.T) {
	b := openBrowser(t)
	for name, file := range makePages(t) {
		for _, l := range looks() {
			t.Run(name+"-"+l.String(), func(t *testing.T) {
				b.load(t, file, l)
				b.shoot(t, name+"-"+l.String()+".png", l.width)
				b.unfold(t)
				for _, what := range wrong(t, b) {
					t.Error(what)
				}
				b.shoot(t, name+"-"+l.String()+"-unfolded.png", l.width)
			})
		}
	}
}

// What is folded is shown by a click, as nothing on the page runs a script.
func TestUnfold(t *testing.T) {
	b := openBrowser(t)
	b.load(t, pageOf(t, "fleet"), looks()[0])
	const folded = "#programs article details:not([open])"
	visible := func() bool {
		return evaluate[bool](t, b, `document.querySelector("#programs article details .facts").checkVisibility({contentVisibilityAuto: true})`)
	}
	if visible() {
		t.Error("details are shown before they are asked for")
	}
	before := evaluate[int](t, b, `document.querySelectorAll("`+folded+`").length`)
	b.do(t, chromedp.Click(chromedp.CSS("#programs article details summary")))
	if after := evaluate[int](t, b, `document.querySelectorAll("`+folded+`").length`); after != before-1 || !visible() {
		t.Errorf("of %d folded details %d are after a click", before, after)
	}
	b.do(t, chromedp.Click(chromedp.CSS(`nav a[href="#hosts"]`)))
	if y := evaluate[float64](t, b, `document.querySelector("#hosts").getBoundingClientRect().top`); y > 900 {
		t.Errorf("the link to the hosts leaves them %g pixels below", y)
	}
}

// Printed, all is unfolded but for what repeats what is seen or is not for now, in light
// colours.
func TestPrint(t *testing.T) {
	b := openBrowser(t)
	for name, file := range makePages(t) {
		t.Run(name, func(t *testing.T) {
			b.load(t, file, look{"dark", 1280})
			b.emulate(t, "print", "dark")
			b.settle(t)
			hidden := evaluate[[]string](t, b, `[...document.querySelectorAll("details > :not(summary)")].filter(e => !e.closest(".undo, .table")).filter(e => !e.checkVisibility({contentVisibilityAuto: true}) || !e.getBoundingClientRect().height).map(e => e.innerText.slice(0, 60))`)
			if len(hidden) > 0 {
				t.Errorf("%d folded parts are not printed, as %q", len(hidden), hidden[0])
			}
			if shown := evaluate[int](t, b, `[...document.querySelectorAll(".undo > figure, .table > .wide")].filter(e => e.checkVisibility({contentVisibilityAuto: true})).length`); shown > 0 {
				t.Errorf("%d ways back and tables are printed", shown)
			}
			links := evaluate[[]string](t, b, `[...document.querySelectorAll("main a")].filter(a => !getComputedStyle(a, "::after").content.includes(a.getAttribute("href"))).map(a => a.outerHTML)`)
			if len(links) > 0 {
				t.Errorf("%d links are printed without their addresses, as %s", len(links), links[0])
			}
			for _, what := range wrong(t, b) {
				t.Error(what)
			}
			printed := call(t, b, page.PrintToPDF, page.PrintToPDFParams{}).Data
			if !bytes.HasPrefix(printed, []byte("%PDF-")) || bytes.Count(printed, []byte("/Type /Page\n"))+bytes.Count(printed, []byte("/Type /Page ")) == 0 {
				t.Errorf("it is printed to %.20q, %d bytes", printed, len(printed))
			}
			keep(t, name+".pdf", printed)
		})
	}
}

// Names that hold markup are shown as text.
func TestHostileNames(t *testing.T) {
	b := openBrowser(t)
	b.load(t, pageOf(t, "hostile"), looks()[0])
	b.unfold(t)
	text := evaluate[string](t, b, "document.body.innerText")
	for _, name := range []string{"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "&lt;b&gt;&amp;", "</style></pre></title>", "{{.Verdict}}"} {
		if !strings.Contains(text, "/opt/"+name) {
			t.Errorf("%q is not shown", name)
		}
	}
	if did := b.taken(); len(did) > 0 {
		t.Errorf("the page %q", did)
	}
}

// The checks find what is broken on purpose.
func TestChecksFind(t *testing.T) {
	whole, err := os.ReadFile(pageOf(t, "ready"))
	if err != nil {
		t.Fatal(err)
	}
	b := openBrowser(t)
	for name, tt := range map[string]struct{ old, new, want string }{
		"nothing":   {"", "", ""},
		"contrast":  {"</main>", `<p style="color: #aaa; background: #fff">weak</p></main>`, "contrast: 2.32 of P.null weak"},
		"wide":      {"</main>", `<div style="width: 2000px">wide</div></main>`, "scrolling: the page is 2"},
		"image":     {"</main>", `<img src="http://127.0.0.1:1/x.png"></main>`, "it has the browser say: Loading the image"},
		"script":    {"</main>", `<script>alert(1)</script></main>`, "it has the browser say: Executing inline script"},
		"no policy": {"default-src 'none'; ", "", "it asks for http://127.0.0.1:1/x.png"},
		"small":     {"</main>", `<p style="font-size: 8px">small</p></main>`, "size of text: P: small"},
	} {
		t.Run(name, func(t *testing.T) {
			broken := strings.Replace(string(whole), tt.old, tt.new, 1)
			if name == "no policy" {
				broken = strings.Replace(broken, "</main>", `<img src="http://127.0.0.1:1/x.png"></main>`, 1)
			}
			file := filepath.Join(t.TempDir(), "broken.html")
			if err := os.WriteFile(file, []byte(broken), 0o644); err != nil {
				t.Fatal(err)
			}
			b.load(t, file, looks()[0])
			found := strings.Join(wrong(t, b), "\n")
			if tt.want == "" && found != "" || !strings.Contains(found, tt.want) {
				t.Errorf("found %q, want %q", found, tt.want)
			}
		})
	}
}
