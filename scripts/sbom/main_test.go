package main

import (
	"bytes"
	"debug/buildinfo"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// rules are those of SPDX 2.3 for what the documents have, and that they have nothing
// else.
const rules = "testdata/spdx-2.3-rules.json"

// libpcap is a part that is not Go's, as build-release names it.
const libpcap = "libpcap 1.10.5 pkg:generic/libpcap@1.10.5 http://example.com/libpcap.tar.xz " +
	"84fa89ac6d303028c1c5b754abff77224f45eca0a94eb1a34ff0aa9ceece3925\n" +
	"glibc 2.36-9+deb12u1 pkg:deb/debian/glibc@2.36-9%2Bdeb12u1\n"

// made is the document of the test's own binary.
func made(t *testing.T, args ...string) []byte {
	t.Helper()
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	var out, complaints bytes.Buffer
	args = append(append([]string{"-version", "1.2.3", "-created", "1700000000"}, args...), own)
	if status := Main(args, strings.NewReader(libpcap), &out, &complaints); status != 0 {
		t.Fatalf("exit status %d: %s", status, complaints.String())
	}
	return out.Bytes()
}

func decode(t *testing.T, data []byte) document {
	t.Helper()
	var d document
	if err := json.Unmarshal(data, &d); err != nil {
		t.Fatal(err)
	}
	return d
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	s, err := c.Compile(rules)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// faults holds a document against the rules.
func faults(t *testing.T, data []byte) error {
	t.Helper()
	instance, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return schema(t).Validate(instance)
}

func TestDocumentFollowsTheRules(t *testing.T) {
	if err := faults(t, made(t)); err != nil {
		t.Error(err)
	}
}

// A rule that takes everything would say nothing.
func TestRulesRefuse(t *testing.T) {
	good := string(made(t))
	for _, tt := range []struct{ name, from, to string }{
		{"another version", `"SPDX-2.3"`, `"SPDX-2.2"`},
		{"another license of the document", `"CC0-1.0"`, `"MIT"`},
		{"a date without a zone", `2023-11-14T22:13:20Z`, `2023-11-14T22:13:20`},
		{"no creator", `"Tool: imds-analyzer-sbom"`, ``},
		{"an identifier with another prefix", `"SPDXID": "SPDXRef-Binary"`, `"SPDXID": "Binary"`},
		{"an identifier with a character too many", `"SPDXRef-Part-1"`, `"SPDXRef-Part_1"`},
		{"a namespace with a fragment", `/spdxdocs/`, `/spdxdocs/#`},
		{"a purpose that there is not", `"APPLICATION"`, `"PROGRAM"`},
		{"a checksum in capitals", `84fa89ac`, `84FA89AC`},
		{"a short checksum", `84fa89ac`, ``},
		{"an algorithm that there is not", `"SHA256"`, `"SHA-256"`},
		{"a relationship that there is not", `"STATIC_LINK"`, `"LINKS"`},
		{"a package URL without a scheme", `"pkg:golang/stdlib`, `"golang/stdlib`},
		{"a category that there is not", `"PACKAGE-MANAGER"`, `"PACKAGES"`},
		{"a field that there is not", `"filesAnalyzed"`, `"analyzed"`},
		{"no place of the source", `"downloadLocation": "NOASSERTION"`, `"downloadLocation": ""`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bad := strings.Replace(good, tt.from, tt.to, 1)
			if bad == good {
				t.Fatalf("%s is not in the document", tt.from)
			}
			if faults(t, []byte(bad)) == nil {
				t.Error("taken")
			}
		})
	}
}

func TestDocumentIsAboutTheBinary(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	sum, err := sumOf(own)
	if err != nil {
		t.Fatal(err)
	}
	d := decode(t, made(t))
	about := d.Packages[0]
	if about.Version != "1.2.3" || about.Name != "imds-analyzer" || about.File != filepath.Base(own) {
		t.Errorf("it is about %+v", about)
	}
	if want := (checksum{"SHA256", sum}); len(about.Sums) != 1 || about.Sums[0] != want {
		t.Errorf("checksums %v, want %v", about.Sums, want)
	}
	if want := time.Unix(1700000000, 0).UTC().Format(time.RFC3339); d.Creation.Created != want {
		t.Errorf("created %s, want %s", d.Creation.Created, want)
	}
	if !strings.Contains(d.Namespace, sum) {
		t.Errorf("the namespace %s is not this binary's alone", d.Namespace)
	}
}

// Each module that the toolchain tells of is a part, and so are its own library and what
// standard input names.
func TestDocumentListsAllParts(t *testing.T) {
	own, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	info, err := buildinfo.ReadFile(own)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"pkg:golang/stdlib@" + strings.TrimPrefix(info.GoVersion, "go")}
	for _, module := range info.Deps {
		want = append(want, "pkg:golang/"+module.Path+"@"+module.Version)
	}
	want = append(want, "pkg:generic/libpcap@1.10.5", "pkg:deb/debian/glibc@2.36-9%2Bdeb12u1")

	var got []string
	for _, p := range decode(t, made(t)).Packages[1:] {
		got = append(got, p.References[0].Locator)
	}
	if !slices.Equal(got, want) {
		t.Errorf("parts\n%q, want\n%q", got, want)
	}
}

// Identifiers are unique, and relationships are between those that are there: the
// document describes the binary, which links each other part.
func TestRelationships(t *testing.T) {
	d := decode(t, made(t))
	want := []relationship{{documentID, "DESCRIBES", binaryID}}
	seen := map[string]bool{d.ID: true}
	for i, p := range d.Packages {
		if seen[p.ID] {
			t.Errorf("%s is there twice", p.ID)
		}
		seen[p.ID] = true
		if i > 0 {
			want = append(want, relationship{binaryID, "STATIC_LINK", p.ID})
		}
	}
	if !slices.Equal(d.Relationships, want) {
		t.Errorf("relationships %v, want %v", d.Relationships, want)
	}
}

func TestDocumentIsTheSameTwice(t *testing.T) {
	if !bytes.Equal(made(t), made(t)) {
		t.Error("two documents of one binary differ")
	}
}

func TestReadParts(t *testing.T) {
	for _, tt := range []struct {
		name, in string
		want     []part // nil: refused
	}{
		{"none", "", []part{}},
		{"no source", "a 1 pkg:generic/a@1\n", []part{{name: "a", version: "1", url: "pkg:generic/a@1"}}},
		{"source", "a 1 u s h\n", []part{{name: "a", version: "1", url: "u", from: "s", sum: "h"}}},
		{"no package URL", "a 1\n", nil},
		{"no sum of the source", "a 1 u s\n", nil},
		{"too much", "a 1 u s h x\n", nil},
		{"an empty line", "\n", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readParts(strings.NewReader(tt.in))
			if (err != nil) != (tt.want == nil) || !slices.Equal(got, tt.want) {
				t.Errorf("%v, %v", got, err)
			}
		})
	}
}

func TestGoURL(t *testing.T) {
	if got, want := goURL("example.com/a/v2", "v2.0.0+incompatible"), "pkg:golang/example.com/a/v2@v2.0.0%2Bincompatible"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestUsage(t *testing.T) {
	text := filepath.Join(t.TempDir(), "text")
	if err := os.WriteFile(text, []byte("no binary"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, in string
		args     []string
		status   int
		says     string
	}{
		{"no binary", "", []string{"-version", "1"}, 2, "BINARY"},
		{"no version", "", []string{text}, 2, "-version"},
		{"an unknown flag", "", []string{"-nope"}, 2, "nope"},
		{"a time that is none", "", []string{"-created", "today", "-version", "1", text}, 2, "today"},
		{"a part that is none", "libpcap\n", []string{"-version", "1", text}, 2, "libpcap"},
		{"a file that is not there", "", []string{"-version", "1", text + "x"}, 1, text + "x"},
		{"a file of another kind", "", []string{"-version", "1", text}, 1, text},
		{"help", "", []string{"-h"}, 0, "-version"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out, complaints bytes.Buffer
			if status := Main(tt.args, strings.NewReader(tt.in), &out, &complaints); status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			if !strings.Contains(complaints.String(), tt.says) {
				t.Errorf("it says %q, and not %q", complaints.String(), tt.says)
			}
			if out.Len() > 0 {
				t.Errorf("it prints %q", out.String())
			}
		})
	}
}
