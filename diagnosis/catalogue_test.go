package diagnosis

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"
)

var update = flag.Bool("update", false, "write the sections of docs/findings.md")

// constants are the ids in finding.go, in its order.
func constants(t *testing.T) (ids []Finding) {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) == 0 {
			return true
		}
		id, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, Finding(id))
		return true
	})
	return ids
}

// catalogued are the ids in the catalogue, in its order.
func catalogued() (ids []Finding) {
	for i := range catalogue {
		ids = append(ids, catalogue[i].id)
	}
	return ids
}

// Every finding is explained, and no other, in the order of finding.go.
func TestCatalogueIsWhole(t *testing.T) {
	if ids := constants(t); len(ids) < 20 || !slices.Equal(ids, catalogued()) {
		t.Errorf("findings %q\ncatalogue %q", ids, catalogued())
	}
	for _, f := range catalogued() {
		e, ok := Explain(f)
		for _, text := range []string{e.Evidence, e.Meaning, e.Fix} {
			if !ok || !strings.HasSuffix(text, ".") || strings.Contains(text, "  ") || strings.ContainsAny(text, "\n\t") {
				t.Errorf("%s: %q is no sentence", f, text)
			}
		}
	}
	if e, ok := Explain("no-such-finding"); ok || e != (Explanation{}) {
		t.Errorf("of what there is not: %+v", e)
	}
}

// A page that is mailed around has what is to be done and nothing else of the catalogue:
// it sends nobody to another finding, nor to a list. The lines for scripts are with it.
func TestFixesStandAlone(t *testing.T) {
	for _, f := range catalogued() {
		e, _ := Explain(f)
		words := strings.FieldsFunc(e.Fix, func(r rune) bool { return r != '-' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })
		for _, id := range catalogued() {
			if slices.Contains(words, string(id)) {
				t.Errorf("%s sends its reader to %s: %s", f, id, e.Fix)
			}
		}
		if strings.Contains(e.Fix, "finding") || strings.Contains(e.Fix, "below") && f != Script {
			t.Errorf("%s sends its reader elsewhere: %s", f, e.Fix)
		}
	}
}

func TestHopLimitHasItsCommand(t *testing.T) {
	e, _ := Explain(HopLimit)
	if !strings.Contains(e.Fix, "aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit N") {
		t.Error(e.Fix)
	}
}

// The parts of docs/findings.md between these lines are written by the test.
const (
	page        = "../docs/findings.md"
	partsBegin  = "<!-- From here on written by: go test ./diagnosis -update -->\n"
	partsEnd    = "<!-- To here -->\n"
	widestLine  = 130
	cellDivider = " | "
)

// TestPage: the page says of the findings what the program does, and of software what
// the list does.
func TestPage(t *testing.T) {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(text), partsBegin)
	_, after, okEnd := strings.Cut(rest, partsEnd)
	if !ok || !okEnd {
		t.Fatalf("%s has lost its marks", page)
	}
	want := before + partsBegin + "\n" + sections() + scriptLines() + softwareRows() + partsEnd + after
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if want != string(text) {
		t.Errorf("%s does not say what the program says (-update writes it)", page)
	}
}

func sections() string {
	var b strings.Builder
	for _, f := range catalogued() {
		e, _ := Explain(f)
		fmt.Fprintf(&b, "## %s\n\n%s\n%s\n%s\n", f, wrap("**Evidence.** "+e.Evidence), wrap("**Meaning.** "+e.Meaning), wrap("**What to do.** "+e.Fix))
	}
	return b.String()
}

func scriptLines() string {
	var b strings.Builder
	b.WriteString("## Lines that get a token first\n\nThey ask for the id of the instance; the token is good for five minutes.\n\n")
	for _, l := range []struct{ tool, language string }{{Curl, "sh"}, {Wget, "sh"}, {Python, "python"}, {PowerShell, "powershell"}} {
		fmt.Fprintf(&b, "```%s\n%s```\n\n", l.language, Lines(l.tool))
	}
	return b.String()
}

func softwareRows() string {
	var b strings.Builder
	b.WriteString("## Software\n\n| software | recognised by | speaks version 2 since | source | note | no fallback to version 1 with |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, row := range knownSoftware().rows {
		var by []string
		for what, names := range map[string][]string{"User-Agent": row.UserAgents, "package": row.Packages, "image": row.Images} {
			if len(names) > 0 {
				by = append(by, what+" `"+strings.Join(names, "`, `")+"`")
			}
		}
		slices.Sort(by)
		since := row.Minimum
		if row.Never {
			since = "never"
		}
		if len(row.Except) > 0 {
			since += ", not " + strings.Join(row.Except, ", ")
		}
		cells := []string{row.Name, strings.Join(by, "; "), since, "[source](" + row.Source + ")", row.Note, setting(&row)}
		b.WriteString(strings.ReplaceAll(strings.TrimRight("| "+strings.Join(cells, cellDivider), " ")+" |\n", "|  |", "| |"))
	}
	return b.String()
}

// setting may have in it what means something in a table.
func setting(row *softwareRow) string {
	if row.Setting == "" {
		return ""
	}
	since := ""
	if row.SettingSince != "" {
		since = ", since " + row.SettingSince
	}
	return "`" + row.Setting + "` ([source](" + row.SettingSource + "))" + since
}

// wrap breaks a paragraph into lines.
func wrap(text string) string {
	var b strings.Builder
	width := 0
	for _, word := range strings.Fields(text) {
		switch {
		case width == 0:
		case width+1+len(word) > widestLine:
			b.WriteByte('\n')
			width = 0
		default:
			b.WriteByte(' ')
			width++
		}
		b.WriteString(word)
		width += len(word)
	}
	return b.String() + "\n"
}
