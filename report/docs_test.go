package report

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"time"
)

// Each field of the JSON and each item of a verdict is in the documentation.
func TestDocumentation(t *testing.T) {
	data, err := os.ReadFile("../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	fieldNames(reflect.TypeFor[Report](), names)
	for _, id := range itemOrder() {
		names[id] = true
	}
	if len(names) < 80 {
		t.Errorf("there are only %d names", len(names))
	}
	for name := range names {
		if !strings.Contains(string(data), "`"+name+"`") {
			t.Errorf("%s is not documented", name)
		}
	}
}

// What a host's observation has is told in its row: a name elsewhere on the page tells of
// another field.
func TestDocumentationOfObserved(t *testing.T) {
	data, err := os.ReadFile("../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(data), "\n| `observed` | object |")
	row, _, _ := strings.Cut(rest, "\n")
	if !found {
		t.Fatal("there is no row")
	}
	names := map[string]bool{}
	fieldNames(reflect.TypeFor[Observed](), names)
	for name := range names {
		if !strings.Contains(row, "`"+name+"`") {
			t.Errorf("%s is not told", name)
		}
	}
}

func fieldNames(of reflect.Type, names map[string]bool) {
	switch of.Kind() {
	case reflect.Pointer, reflect.Slice:
		fieldNames(of.Elem(), names)
	case reflect.Struct:
		if of == reflect.TypeFor[time.Time]() {
			return
		}
		for field := range of.Fields() {
			if !field.IsExported() && !field.Anonymous {
				continue // it is in no JSON
			}
			if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
				names[name] = true
			}
			fieldNames(field.Type, names)
		}
	}
}
