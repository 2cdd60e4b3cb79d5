package page

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"unicode"

	"imds-analyzer/report"
)

var update = flag.Bool("update", false, "write golden files anew")

func TestGolden(t *testing.T) {
	ready, notEnough := reportOf(t, "ready", week()), reportOf(t, "ready", report.Options{MinDays: 30})
	ready.Steps, notEnough.Steps = nil, nil // have goldens of their own
	for name, r := range map[string]*report.Report{"full": full(t), "ready": ready, "not_enough": notEnough} {
		before, rest, _ := strings.Cut(written(t, r), "<style>")
		_, after, _ := strings.Cut(rest, "</style>")
		got, file := before+"<style></style>"+after, filepath.Join("testdata", name+".golden.html")
		if *update {
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got:\n%s\nwant:\n%s", file, got, want)
		}
	}
}

// known are the elements that a page is made of, and their attributes. None of them
// loads anything or runs anything.
func known() map[string]string {
	return map[string]string{
		"html": "lang", "head": "", "meta": "charset http-equiv content name", "title": "", "style": "", "body": "",
		"header": "", "main": "", "footer": "", "nav": "aria-label", "section": "id", "article": "class", "div": "class aria-hidden",
		"h1": "", "h2": "", "h3": "", "p": "class", "ul": "", "li": "", "dl": "class", "dt": "", "dd": "", "br": "",
		"b": "class", "i": "class", "small": "", "span": "class style aria-hidden", "code": "", "pre": "", "mark": "", "bdi": "class",
		"a": "href rel", "details": "class id open", "summary": "", "figure": "", "figcaption": "",
		"table": "", "thead": "", "tbody": "", "tr": "", "th": "scope class", "td": "class",
		"svg": "class height viewBox preserveAspectRatio role aria-label aria-hidden x", "g": "class", "line": "x1 x2 y1 y2",
		"rect": "x width y height", "path": "class d", "text": "class x y",
	}
}

// looked is what a page was found to be.
type looked struct {
	ids, links []string
	texts      []string // of each element
	policy     string
	bad        []string // what a page must not have
}

// look reads a page as XML, which HTML need not be: what is open is closed in order.
func look(t *testing.T, page string) (l looked) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(page))
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			return l
		}
		if err != nil {
			t.Fatalf("%v in\n%s", err, page[:min(len(page), int(d.InputOffset()))])
		}
		switch token := token.(type) {
		case xml.StartElement:
			l.element(token)
		case xml.CharData:
			l.texts = append(l.texts, string(token))
		case xml.Comment, xml.ProcInst:
			l.bad = append(l.bad, fmt.Sprintf("%T", token))
		}
	}
}

func (l *looked) element(e xml.StartElement) {
	attributes, ok := known()[e.Name.Local]
	if !ok {
		l.bad = append(l.bad, "the element "+e.Name.Local)
	}
	for _, a := range e.Attr {
		if !slices.Contains(strings.Fields(attributes), a.Name.Local) {
			l.bad = append(l.bad, fmt.Sprintf("the attribute %s of %s", a.Name.Local, e.Name.Local))
		}
		switch a.Name.Local {
		case "id":
			l.ids = append(l.ids, a.Value)
		case "href":
			l.links = append(l.links, a.Value)
		case "style":
			if !strings.HasPrefix(a.Value, "width: ") || !strings.HasSuffix(a.Value, "%") {
				l.bad = append(l.bad, "the style "+a.Value)
			}
		case "content":
			if strings.HasPrefix(a.Value, "default-src") {
				l.policy = a.Value
			}
		}
	}
}

// A page loads nothing and runs nothing, whatever is in the report.
func TestPageStandsForItself(t *testing.T) {
	for name, r := range examples(t) {
		t.Run(name, func(t *testing.T) {
			page := written(t, r)
			l := look(t, page)
			for _, bad := range l.bad {
				t.Error("it has " + bad)
			}
			if l.policy != "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'" {
				t.Errorf("its policy is %q", l.policy)
			}
			if slices.Sort(l.ids); len(slices.Compact(slices.Clone(l.ids))) != len(l.ids) {
				t.Errorf("ids are not unique: %q", l.ids)
			}
			for _, link := range l.links {
				if id, inside := strings.CutPrefix(link, "#"); inside && !slices.Contains(l.ids, id) && id != "ZgotmplZ" || !inside && !strings.HasPrefix(link, "https://") && name != "much" {
					t.Errorf("it has a link to %s", link)
				}
				if strings.Contains(link, ":") && !strings.HasPrefix(link, "https:") {
					t.Errorf("it has a link to %s", link)
				}
			}
			for _, never := range []string{"@import", "url(", "ZgotmplZ", "<no value>", "%!"} {
				if strings.Contains(page, never) && name != "much" {
					t.Errorf("it has %s", never)
				}
			}
			if at := strings.IndexFunc(page, func(r rune) bool { return r != '\n' && r != '\t' && !unicode.IsPrint(r) }); at >= 0 {
				t.Errorf("it has %q", page[at:min(at+8, len(page))])
			}
		})
	}
}

// What looks like markup in names is shown.
func TestNamesAreText(t *testing.T) {
	text := strings.Join(look(t, written(t, reportOf(t, "hostile", week()))).texts, "\n")
	for _, name := range []string{
		"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "' onmouseover='alert(1)", "{{.Verdict}}", "</style></pre></title>",
		"javascript:alert(1)", "o" + strings.Repeat("\u0489", 90), "&lt;b&gt;&amp;", "שלום עולם", "\ufffdgnp.exe\ufffd", "a\ufffdb\ufffd[31mred\ufffd",
	} {
		for _, shown := range []string{"/opt/" + name, "/srv/" + name, "/latest/" + name, "registry/" + name, name + " --name " + name} {
			if !strings.Contains(text, shown) {
				t.Errorf("%q is not shown", shown)
			}
		}
	}
}

// However much there is, a page is not too long, and what is left out is counted.
func TestPageIsBounded(t *testing.T) {
	const n = 5000
	if maxBytes > 2<<20 {
		t.Errorf("a page can have %d bytes", maxBytes)
	}
	for _, name := range []string{"a name", strings.Repeat("&", 200), strings.Repeat("\u202e", 200), strings.Repeat("'", 200)} {
		page := written(t, much(n, name))
		if len(page) > maxBytes || len(page) < maxBytes/2 {
			t.Errorf("%.8q: the page has %d bytes, which is not up to %d", name, len(page), maxBytes)
		}
		_, lines, _ := strings.Cut(page, `<div class="wide lines">`)
		lines, _, _ = strings.Cut(lines, "</table>")
		shown := strings.Count(page, `<article class="program`) + strings.Count(lines, "<tr><td>")
		if want := fmt.Sprintf("And %s more programs: %s v1, %s v2, %s unknown.", number(n-shown), number(3*(n-shown)), number(n-shown), number(2*(n-shown))); !strings.Contains(page, want) {
			t.Errorf("%.8q: %d programs are shown, and it does not say %q", name, shown, want)
		}
		if !strings.Contains(page, "other reasons: ") || strings.Count(page, `class="fold group"`) != maxGroups+1 {
			t.Errorf("%.8q: there are %d groups of hosts", name, strings.Count(page, `class="fold group"`))
		}
	}
}

// Of a thousand usual hosts all are on a page.
func TestThousandHosts(t *testing.T) {
	one := full(t)
	r := *one
	r.Hosts = nil
	for i := range 1000 {
		h := one.Hosts[i%len(one.Hosts)]
		h.Name = fmt.Sprintf("ip-10-0-%d-%d.eu-central-1.compute.internal (i-%017x)", i/256, i%256, i)
		r.Hosts = append(r.Hosts, h)
	}
	page := written(t, &r)
	if len(page) > 1<<20 {
		t.Errorf("the page has %d bytes", len(page))
	}
	for _, h := range r.Hosts {
		if !strings.Contains(page, ">"+h.Name+"<") {
			t.Fatalf("%s is not on the page", h.Name)
		}
	}
}

type fails struct{}

func (fails) Write([]byte) (int, error) { return 0, errors.New("no space left") }

func TestWritingFails(t *testing.T) {
	if err := Write(fails{}, full(t), made()); err == nil || err.Error() != "cannot write the report: no space left" {
		t.Errorf("the error is %v", err)
	}
}
