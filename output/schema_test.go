package output

import (
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"imds-analyzer/attribution"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

const schemaFile = "../docs/log-entry.schema.json"

func compileSchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	schema, err := c.Compile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// validate parses a line as JSON and checks it.
func validate(t *testing.T, schema *jsonschema.Schema, line string) error {
	t.Helper()
	value, err := jsonschema.UnmarshalJSON(strings.NewReader(line))
	if err != nil {
		t.Fatalf("%s: %v", line, err)
	}
	return schema.Validate(value)
}

func TestEntriesFollowSchema(t *testing.T) {
	schema := compileSchema(t)
	for name, r := range testRecords() {
		host := testHost
		if r.Answer.Status == attribution.Offline {
			host = Host{}
		}
		e := NewEntry(r, host)
		if err := validate(t, schema, string(appendEntry(nil, &e))); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, l := range testLifecycles() {
		if err := validate(t, schema, string(appendLifecycle(nil, &l))); err != nil {
			t.Errorf("%s: %v", l.Message, err)
		}
	}
}

// A schema that accepts everything proves nothing.
func TestSchemaRefuses(t *testing.T) {
	schema := compileSchema(t)
	e := NewEntry(testRecord(), testHost)
	unknown := NewEntry(testRecords()["10 unknown"], Host{})
	l := testLifecycles()[1]
	log := foldAll(NewFolder(time.Minute), foldEntry(1, 0), foldEntry(2, time.Second), foldEntry(3, time.Second))
	folded := string(appendEntry(nil, &log[1]))
	call, cutOff, capture := string(appendEntry(nil, &e)), string(appendEntry(nil, &unknown)), string(appendLifecycle(nil, &l))
	mutations := []struct{ name, line, old, new string }{
		{"unknown field", call, `"message":`, `"colour":"red","message":`},
		{"unknown nested field", call, `"http":{`, `"http":{"body":"x",`},
		{"a token's field", call, `"imds":{`, `"imds":{"token":"x",`},
		{"empty text", call, `"domain":"169.254.169.254"`, `"domain":""`},
		{"other version", call, `"version":"v1"`, `"version":"v3"`},
		{"level of v2", call, `"log.level":"warning"`, `"log.level":"info"`},
		{"action of v2", call, "imds-v1-request", "imds-v2-request"},
		{"v1 on partial evidence", call, `"version":"v1"`, `"version":"v1","incomplete":"snaplen"`},
		{"v1 folded", call, `"imds":{`, `"imds":{"folded":{"calls":2,"first":"2026-11-23T04:30:49Z","last":"2026-11-23T04:30:50Z","first_sequence":1},`},
		{"several paths of one call", folded, `"calls":2,`, `"calls":1,"reason":"rate","several":"paths",`},
		{"several programs for no reason", folded, `"calls":2,`, `"calls":2,"several":"programs",`},
		{"several programs with a process", folded, `"calls":2,`, `"calls":2,"reason":"rate","several":"programs",`},
		{"one call folded", folded, `"calls":2`, `"calls":1`},
		{"folded without a number", folded, `,"first_sequence":2`, ``},
		{"unknown without a reason", cutOff, `"incomplete":"snaplen",`, ``},
		{"unknown reason", cutOff, `"snaplen"`, `"bad_luck"`},
		{"zone", call, `123Z`, `123+01:00`},
		{"no time", call, `"@timestamp":"2026-11-23T`, `"@timestamp":"2026-13-23T`},
		{"port", call, `"port":80`, `"port":65536`},
		{"address", call, `"ip":"10.0.1.23"`, `"ip":"10.0.1"`},
		{"pid 0", call, `"pid":4242`, `"pid":0`},
		{"status as text", call, `"status_code":200`, `"status_code":"200"`},
		{"negative duration", call, `"duration":1`, `"duration":-1`},
		{"process without evidence", call, `"status":"resolved"`, `"status":"not_found"`},
		{"other dataset", call, `"imds.call"`, `"imds.other"`},
		{"no source", call, `"source"`, `"sauce"`},
		{"host of a file's call", cutOff, `"network":`, `"host":{"hostname":"x"},"network":`},
		{"lifecycle without counts", capture, `"calls_v1":1,`, ``},
		{"negative count", capture, `"calls_v1":1`, `"calls_v1":-1`},
		{"other lifecycle action", capture, `"capture-stats"`, `"capture-paused"`},
		{"label that is no text", call, `"message":`, `"labels":{"a":1},"message":`},
		{"name of a label", call, `"message":`, `"labels":{"a b":"c"},"message":`},
		{"no labels", call, `"message":`, `"labels":{},"message":`},
		{"call's field in a lifecycle entry", capture, `"message":`, `"url":{"path":"/"},"message":`},
	}
	for _, m := range mutations {
		t.Run(m.name, func(t *testing.T) {
			mutated := strings.Replace(m.line, m.old, m.new, 1)
			if mutated == m.line {
				t.Fatalf("%q is not in %s", m.old, m.line)
			}
			if validate(t, schema, mutated) == nil {
				t.Errorf("accepted: %s", mutated)
			}
		})
	}
}

// The page describes each field that the schema knows, and its example is one.
func TestPageFollowsSchema(t *testing.T) {
	page, err := os.ReadFile("../docs/log-entry.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```json\n")
	example, _, found := strings.Cut(rest, "\n```")
	if !found {
		t.Fatal("no example")
	}
	if err := validate(t, compileSchema(t), example); err != nil {
		t.Errorf("the example: %v", err)
	}
	schema, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	propertyNames(generic(t, schema), names)
	for _, name := range slices.Sorted(maps.Keys(names)) {
		if !strings.Contains(string(page), name) {
			t.Errorf("the page does not mention %s", name)
		}
	}
}

// propertyNames collects the names of all fields below a schema.
func propertyNames(schema any, names map[string]bool) {
	switch schema := schema.(type) {
	case []any:
		for _, element := range schema {
			propertyNames(element, names)
		}
	case map[string]any:
		if properties, ok := schema["properties"].(map[string]any); ok {
			for name := range properties {
				names[name] = true
			}
		}
		for _, element := range schema {
			propertyNames(element, names)
		}
	}
}
