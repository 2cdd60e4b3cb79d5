package cli

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"unicode/utf8"

	"imds-analyzer/imds"
)

// objectOf is an object of n labels.
func objectOf(n int) string {
	var members []string
	for i := range n {
		members = append(members, fmt.Sprintf(`"n%d":"x"`, i))
	}
	return "{" + strings.Join(members, ",") + "}"
}

func TestParseLabels(t *testing.T) {
	long := strings.Repeat("ab ", maxLabelValue/3) + "c"
	for _, tt := range []struct {
		name, out string
		want      map[string]string
	}{
		{"nothing", "", nil},
		{"blanks", " \n", nil},
		{"no label", "{}", map[string]string{}},
		{"some", ` {"team":"web","app.kubernetes.io/managed-by":"Helm","A_1":"ü \n"}` + "\n", map[string]string{"team": "web", "app.kubernetes.io/managed-by": "Helm", "A_1": "ü \n"}},
		{"an empty text", `{"a":"","b":"c"}`, map[string]string{"b": "c"}},
		{"a long text", `{"a":"` + long + `"}`, map[string]string{"a": long}},
		{"a secret's name", `{"app/db.password":"hunter2 and more","token":"x"}`, map[string]string{"app/db.password": imds.Redacted, "token": imds.Redacted}},
		{"not UTF-8", "{\"a\":\"\xff\"}", map[string]string{"a": "\ufffd"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := parseLabels([]byte(tt.out))
			if err != nil || !maps.Equal(got, tt.want) {
				t.Errorf("%q, %v, not %q", got, err, tt.want)
			}
		})
	}
	if got, err := parseLabels([]byte(objectOf(maxLabels))); err != nil || len(got) != maxLabels {
		t.Errorf("%d labels, %v", len(got), err)
	}
}

func TestParseLabelsRefuses(t *testing.T) {
	for name, out := range map[string]string{
		"text":             `web`,
		"a JSON text":      `"web"`,
		"null":             `null`,
		"list":             `["a"]`,
		"number":           `{"a":1}`,
		"null as a value":  `{"a":null}`,
		"object in object": `{"a":{"b":"c"}}`,
		"half":             `{"a":"b"`,
		"two":              `{"a":"b"}{"c":"d"}`,
		"deep":             strings.Repeat(`{"a":`, 20_000),
		"blank in a name":  `{"a b":"c"}`,
		"escape in a name": `{"\u001b[31m":"c"}`,
		"no name":          `{"":"c"}`,
		"long name":        `{"` + strings.Repeat("a", maxLabelName+1) + `":"c"}`,
		"secret as a name": `{"AQAEAJk3hT8sW2vQ9xYb4LmN7pRcZ1dF6gHuKoEiXaTqBnVwSyM0Pj":"c"}`,
		"long text":        `{"a":"` + strings.Repeat("b", maxLabelValue+1) + `"}`,
		"many labels":      objectOf(maxLabels + 1),
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := parseLabels([]byte(out)); err == nil || got != nil {
				t.Errorf("accepted: %q", got)
			}
		})
	}
}

// Whatever a command writes, labels are within their bounds, and what looks like
// a secret is not in them.
func FuzzParseLabels(f *testing.F) {
	for _, seed := range []string{
		"", "{}", `{"a":"b"}`, `{"a":1}`, `{"a":null}`, `{"token":"x"}`, `{"a":"AQAEAJk3hT8sW2vQ9xYb4LmN7pRcZ1dF6gHuKoEiXaTqBnVwSyM0Pj=="}`,
		`{"a":"-x"}`, `{"-c":"password=x"}`, `[[[[`, `{"a":"\ud800"}`, objectOf(maxLabels + 1), "\xff",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, out []byte) {
		labels, err := parseLabels(out)
		if err != nil && len(labels) > 0 || len(labels) > maxLabels {
			t.Fatalf("%d labels, %v", len(labels), err)
		}
		for name, value := range labels {
			// Redacting can make a text longer: there is at most a mark for each byte.
			if !isLabelName(name) || value == "" || len(value) > maxLabelValue*len(imds.Redacted) || !utf8.ValidString(value) {
				t.Errorf("%q: %q", name, value)
			}
			if again := redactLabel(name, value); again != value {
				t.Errorf("%q: %q is %q when it is redacted again", name, value, again)
			}
		}
	})
}
