package diagnosis

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"testing"
)

// findings are all ids that the package declares, as its source has them: a list kept
// by hand would lack the one that was added last.
func findings(t *testing.T) []Finding {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "finding.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids []Finding
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok && len(spec.Values) == 1 {
			id, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			ids = append(ids, Finding(id))
		}
		return true
	})
	if len(ids) < 20 {
		t.Fatalf("only %d findings found", len(ids))
	}
	return ids
}

func TestTitles(t *testing.T) {
	titles := map[string]Finding{}
	for _, f := range findings(t) {
		title := f.Title()
		if title == string(f) || titles[title] != "" {
			t.Errorf("%s has the title %q, as has %q", f, title, titles[title])
		}
		titles[title] = f
	}
	if title := Finding("of-tomorrow").Title(); title != "of-tomorrow" {
		t.Errorf("a finding that is not known has the title %q", title)
	}
}
